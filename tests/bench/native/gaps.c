// Holds many streams open at once and measures the time between their events.
// usage: gaps port path streams seconds bodyfile gap_us -> JSON: events, gap percentiles (us), starved streams, errors
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX 4096
#define BUCKETS 2000000 // one a microsecond, two seconds in all

typedef struct {
  int fd, matched, tail, bad, started;
  long last, asked, events, answers, longest;
} Stream;

static Stream streams[MAX];
static unsigned gaps[BUCKETS], firsts[BUCKETS];
static long counted, waited, errors;
static char request[65536];
static int length, port, ep;

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void ask(Stream *s, long t) {
  s->asked = t;
  s->last = 0;
  s->tail = s->matched = 0;
  if (write(s->fd, request, length) != length) errors++;
}

static void open_stream(int i, long t) {
  Stream *s = &streams[i];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void *)&to, sizeof to)) { errors++; close(fd); return; }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
  s->fd = fd;
  s->started = 1;
  ask(s, t);
}

static void note(unsigned *table, long us) { table[us < 0 ? 0 : us >= BUCKETS ? BUCKETS - 1 : us]++; }

// An event has come: how long after the one before it, or after the question?
static void event(Stream *s, long t) {
  if (s->last) {
    note(gaps, t - s->last);
    counted++;
    if (t - s->last > s->longest) s->longest = t - s->last;
  } else {
    note(firsts, t - s->asked);
    waited++;
  }
  s->last = t;
  s->events++;
}

// The last chunk of a chunked body is "0\r\n\r\n" after a line's end.
static int feed(Stream *s, const char *p, int n, long t) {
  static const char *word = "data: {", *end = "\r\n0\r\n\r\n";
  int over = 0;
  if (!s->last && n > 12 && !memcmp(p, "HTTP/1.1", 8) && memcmp(p + 9, "200", 3)) s->bad = 1;
  for (int i = 0; i < n; i++) {
    s->matched = p[i] == word[s->matched] ? s->matched + 1 : p[i] == word[0];
    if (!word[s->matched]) { event(s, t); s->matched = 0; }
    s->tail = p[i] == end[s->tail] ? s->tail + 1 : p[i] == end[0];
    if (!end[s->tail]) { over = 1; s->tail = 0; }
  }
  return over;
}

static long percentile(unsigned *table, long n, double q) {
  long wanted = (long)(n * q), seen = 0;
  for (long i = 0; i < BUCKETS; i++) if ((seen += table[i]) > wanted) return i;
  return BUCKETS;
}

int main(int count, char **given) {
  if (count < 7) return 2;
  port = atoi(given[1]);
  int n = atoi(given[3]);
  double seconds = atof(given[4]);
  long gap = atol(given[6]);
  char body[32768];
  FILE *file = fopen(given[5], "r");
  if (!file || n > MAX) return 2;
  int size = fread(body, 1, sizeof body, file);
  length = sprintf(request, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "Authorization: Bearer bench\r\nContent-Length: %d\r\n\r\n", given[2], size);
  memcpy(request + length, body, size);
  length += size;
  ep = epoll_create1(0);
  long began = now(), ends = began + (long)(seconds * 1e6), spread = gap * 40; // they begin one after the other
  int opened = 0;
  struct epoll_event ready[512];
  static char bytes[65536];
  while (now() < ends) {
    long t = now();
    for (; opened < n && began + spread * opened / n <= t; opened++) open_stream(opened, t);
    int k = epoll_wait(ep, ready, 512, opened < n ? 1 : 100);
    for (int j = 0; j < k; j++) {
      Stream *s = &streams[ready[j].data.u32];
      int got = read(s->fd, bytes, sizeof bytes);
      t = now();
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) { errors++; close(s->fd); open_stream(ready[j].data.u32, t); continue; }
      if (feed(s, bytes, got, t)) { s->answers++; ask(s, t); }
    }
  }
  long starved = 0, events = 0, answers = 0, bad = 0, t = now();
  for (int i = 0; i < n; i++) {
    Stream *s = &streams[i];
    events += s->events; answers += s->answers; bad += s->bad;
    // A second without a token is an answer that stands still.
    if (!s->events || s->longest > 1000000 || (s->last && t - s->last > 1000000)) starved++;
  }
  printf("{\"events\":%ld,\"answers\":%ld,\"errors\":%ld,\"starved\":%ld,\"seconds\":%.2f,"
    "\"first_p50\":%ld,\"first_p99\":%ld,\"gap_p50\":%ld,\"gap_p90\":%ld,\"gap_p99\":%ld,\"gap_p999\":%ld}\n",
    events, answers, errors + bad, starved, (t - began) / 1e6, percentile(firsts, waited, .5), percentile(firsts, waited, .99),
    percentile(gaps, counted, .5), percentile(gaps, counted, .9), percentile(gaps, counted, .99), percentile(gaps, counted, .999));
}
