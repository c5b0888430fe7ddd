"""Objects in S3 against a fake that checks signatures with botocore and fails on demand."""

from collections.abc import Iterator

import httpx
import pytest
from botocore.config import Config
from botocore.session import get_session

from tests.unit.adapters.aws import KEYS, HeldKeys
from tests.vendors.aws_services import AwsFake, Fault, Reply, running
from tests.vendors.s3_buckets import S3Buckets
from tests.vendors.sigv4 import Account
from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.aws_keys import AwsKeys
from tuneway.adapters.s3_files import S3Files
from tuneway.adapters.s3_objects import S3Objects, place
from tuneway.adapters.s3_streams import PART_BYTES
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater

ACCOUNT = Account()
URI = "s3://bucket-1/rows/train.jsonl"
PLACE = "bucket-1/rows/train.jsonl"
MANY = bytes(range(256)) * (PART_BYTES // 256) * 2 + b"the end"


@pytest.fixture
def buckets() -> S3Buckets:
    return S3Buckets()


@pytest.fixture
def fake(buckets: S3Buckets) -> Iterator[AwsFake]:
    with running(buckets) as running_fake:
        yield running_fake


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def keys() -> HeldKeys:
    return HeldKeys(KEYS)


@pytest.fixture
def files(fake: AwsFake, pauses: list[float], keys: HeldKeys) -> Iterator[S3Files]:
    caller = AwsCaller(keys, sleep=pauses.append)
    yield S3Files(S3Objects(caller, region="us-east-1", base_url=fake.url))
    caller.close()


def put(files: S3Files, data: bytes, uri: str = URI) -> None:
    with files.write(uri) as file:
        file.write(data)


def get(files: S3Files, uri: str = URI) -> bytes:
    with files.read(uri) as file:
        return file.read()


def break_off(files: S3Files, data: bytes) -> None:
    with files.write(URI) as file:
        file.write(data)
        raise ZeroDivisionError


def test_a_small_object_is_one_call(files: S3Files, fake: AwsFake) -> None:
    put(files, b"row\n")
    assert get(files) == b"row\n"
    assert fake.operations == ["PutObject", "GetObject"]


def test_a_large_object_goes_up_in_parts(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    put(files, MANY)
    assert buckets.objects[PLACE] == MANY
    assert buckets.uploads == {}
    assert fake.operations == ["CreateMultipartUpload", *["UploadPart"] * 3, "CompleteMultipartUpload"]


def test_an_upload_that_was_given_up_leaves_no_parts(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    with pytest.raises(ZeroDivisionError):
        break_off(files, MANY)
    assert (buckets.uploads, buckets.objects) == ({}, {})
    assert fake.operations[-1] == "AbortMultipartUpload"


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_an_upload_that_s3_refuses_leaves_no_parts(
    files: S3Files, fake: AwsFake, buckets: S3Buckets, operation: str
) -> None:
    fake.fails(operation, 403, "AccessDenied", said="No such permission")
    with pytest.raises(NotAllowed, match=r"s3://bucket-1/rows/train.jsonl.*s3:PutObject"):
        put(files, MANY)
    assert (buckets.uploads, buckets.objects) == ({}, {})


def test_a_block_that_ignores_a_lost_part_makes_no_object(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    fake.fails("UploadPart", 403, "AccessDenied")
    with pytest.raises(NotAllowed), files.write(URI) as file:  # noqa: PT012 - the end of the block raises
        with pytest.raises(NotAllowed):
            file.write(MANY)
        file.write(b"more")
    assert (buckets.uploads, buckets.objects) == ({}, {})


@pytest.mark.parametrize(
    "operation", ["PutObject", "CreateMultipartUpload", "UploadPart", "GetObject", "HeadObject", "DeleteObject"]
)
@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (400, "RequestTimeout")])
def test_what_passes_is_asked_again_after_a_pause(
    files: S3Files, fake: AwsFake, pauses: list[float], operation: str, status: int, code: str
) -> None:
    fake.fails(operation, status, code, times=2)
    put(files, MANY if "Part" in operation or "Upload" in operation else b"small")
    files.size(URI)
    get(files)
    files.delete(URI)
    # A HEAD's refusal tells no code, so its reason is asked for by another call.
    assert len(pauses) == (0 if operation == "HeadObject" and status == 400 else 2)


def test_a_lost_answer_is_asked_for_again(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    for operation in ("CreateMultipartUpload", "UploadPart", "GetObject", "DeleteObject"):
        fake.loses(operation)
    put(files, MANY)
    assert get(files) == MANY
    files.delete(URI)
    assert buckets.objects == {}
    assert [upload.parts for upload in buckets.uploads.values()] == [{}]


def test_an_end_whose_answer_was_lost_is_no_success_until_it_is_known(files: S3Files, fake: AwsFake) -> None:
    fake.loses("CompleteMultipartUpload")
    with pytest.raises(TryLater, match=rf"{URI}.*write it again"):
        put(files, MANY)
    put(files, MANY)
    assert get(files) == MANY


def test_an_error_after_200_is_an_error(files: S3Files, fake: AwsFake, pauses: list[float]) -> None:
    late = Reply(200, b"<?xml version='1.0'?>\n   <Error><Code>InvalidPart</Code><Message>Gone</Message></Error>")
    fake.faults.append(Fault("CompleteMultipartUpload", reply=late))
    with pytest.raises(TryLater, match=r"bucket-1.*InvalidPart: Gone"):
        put(files, MANY)


def test_what_never_passes_is_told_after_a_few_attempts(files: S3Files, fake: AwsFake) -> None:
    fake.fails("GetObject", 503, "SlowDown", times=99)
    with pytest.raises(TryLater, match="SlowDown"):
        get(files)
    assert fake.operations == ["GetObject"] * 5


def test_a_read_that_breaks_goes_on_where_it_broke(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    buckets.objects[PLACE] = MANY
    for cut in (100_000, 0, 5_000_000):
        fake.faults.append(Fault("GetObject", cut=cut))
    assert get(files) == MANY
    ranges = [asked.headers.get("range") for asked in fake.asked]
    assert ranges == [None, "bytes=100000-", "bytes=100000-", "bytes=5100000-"]


def test_a_read_that_only_breaks_is_given_up(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    buckets.objects[PLACE] = b"x" * 1000
    fake.faults.append(Fault("GetObject", cut=10, times=1))
    fake.faults.append(Fault("GetObject", cut=0, times=99))
    with pytest.raises(TryLater, match=URI), files.read(URI) as file:
        file.read()


@pytest.mark.parametrize("after", [b"y" * 1000, None], ids=["replaced", "removed"])
def test_an_object_that_changes_while_it_is_read_is_never_mixed(
    files: S3Files, fake: AwsFake, buckets: S3Buckets, after: bytes | None
) -> None:
    buckets.objects[PLACE] = b"x" * 1000
    fake.faults.append(Fault("GetObject", cut=100))
    with pytest.raises(TryLater, match="replaced or removed"), files.read(URI) as file:  # noqa: PT012 - two reads
        assert file.peek(1)[:1] == b"x"  # type: ignore[attr-defined]  # a BufferedReader
        buckets.objects.pop(PLACE)
        if after:
            buckets.objects[PLACE] = after
        file.read()


def test_the_whole_in_the_place_of_a_part_is_never_mixed_in(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    buckets.objects[PLACE] = b"x" * 1000
    fake.faults += [Fault("GetObject", cut=100), Fault("GetObject", reply=Reply(200, b"x" * 1000))]
    with pytest.raises(TryLater, match="where a part of it was asked for"):
        get(files)


def test_a_bucket_elsewhere_is_asked_in_its_own_region(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    buckets.regions["bucket-1"] = "eu-west-3"
    put(files, b"x")
    assert get(files) == b"x"
    assert files.size(URI) == 1
    assert fake.operations == ["PutObject", "PutObject", "GetObject", "HeadObject"]


def test_a_region_that_is_none_is_not_followed(files: S3Files, buckets: S3Buckets) -> None:
    buckets.regions["bucket-1"] = "evil.example/"
    with pytest.raises(BadInput, match="PermanentRedirect"):
        get(files)


def test_keys_that_ran_out_are_renewed_once(files: S3Files, keys: HeldKeys, fake: AwsFake) -> None:
    keys.sets.append(KEYS)
    fake.fails("PutObject", 400, "ExpiredToken")
    put(files, b"x")
    fake.fails("PutObject", 400, "ExpiredToken")
    with pytest.raises(TryLater, match="keys or role"):
        put(files, b"y")


def test_wrong_keys_are_for_whoever_runs_this_to_mend(files: S3Files, keys: HeldKeys) -> None:
    keys.sets[0] = AwsKeys(access_key_id=ACCOUNT.access_key, secret_access_key="wrong")
    with pytest.raises(TryLater, match="SignatureDoesNotMatch"):
        put(files, b"x")


@pytest.mark.parametrize(
    ("status", "code", "kind", "remedy"),
    [
        (404, "NoSuchKey", NotFound, "upload it"),
        (404, "NoSuchBucket", NotFound, "bucket that exists"),
        (403, "AccessDenied", NotAllowed, "s3:GetObject"),
        (403, "InvalidObjectState", BadInput, "restore it"),
        (403, "AllAccessDisabled", NotAllowed, ""),
        (409, "OperationAborted", TryLater, ""),
    ],
)
def test_a_refusal_names_the_object_and_the_remedy(
    files: S3Files, fake: AwsFake, buckets: S3Buckets, status: int, code: str, kind: type[Exception], remedy: str
) -> None:
    fake.fails("HeadObject", status, code, times=9)
    fake.fails("GetObject", status, code, times=9)
    with pytest.raises(kind, match=rf"{URI}.*{code}.*{remedy}"):
        get(files)
    with pytest.raises(kind, match=URI):
        files.size(URI)


def test_an_upload_without_a_name_or_a_tag_is_no_upload(files: S3Files, fake: AwsFake, buckets: S3Buckets) -> None:
    fake.faults.append(Fault("CreateMultipartUpload", reply=Reply(200, b"<html/>")))
    with pytest.raises(TryLater, match="without naming it"):
        put(files, MANY)
    fake.faults.append(Fault("UploadPart", reply=Reply(200)))
    with pytest.raises(TryLater, match="part 1 without a tag"):
        put(files, MANY)


def test_an_object_of_too_many_parts_is_refused(files: S3Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneway.adapters.s3_streams.MOST_PARTS", 1)
    with pytest.raises(BadInput, match="Split the file"):
        put(files, MANY)


def test_removing_from_a_bucket_that_is_not_there_is_no_error(files: S3Files) -> None:
    files.delete("s3://no-such-bucket/x")


def test_a_host_that_is_not_there_passes() -> None:
    objects = S3Objects(
        AwsCaller(HeldKeys(KEYS), sleep=lambda _: None), region="us-east-1", base_url="http://127.0.0.1:1"
    )
    with pytest.raises(TryLater, match=r"s3://bucket-1/rows/train.jsonl: AWS could not be reached"):
        S3Files(objects).size(URI)


@pytest.mark.parametrize(
    ("region", "bucket", "url"),
    [
        ("us-east-1", "bucket-1", "https://bucket-1.s3.us-east-1.amazonaws.com/a%20b/%C3%BC%2B%27%28~"),
        ("cn-north-1", "bucket-1", "https://bucket-1.s3.cn-north-1.amazonaws.com.cn/a%20b/%C3%BC%2B%27%28~"),
        ("us-east-1", "my.bucket", "https://s3.us-east-1.amazonaws.com/my.bucket/a%20b/%C3%BC%2B%27%28~"),
    ],
)
def test_without_an_override_objects_are_asked_of_aws(region: str, bucket: str, url: str) -> None:
    asked = list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    caller = AwsCaller(HeldKeys(KEYS), transport=httpx.MockTransport(answer))
    S3Files(S3Objects(caller, region=region)).delete(f"s3://{bucket}/a b/ü+'(~")
    assert str(asked[0].url) == url
    assert f"/{region}/s3/aws4_request" in asked[0].headers["authorization"]


@pytest.mark.parametrize("uri", ["s3://b/x", "s3://bucket-1/", "gs://bucket-1/x", "s3://bucket-1/a/../b", "s3://B-1/x"])
def test_what_names_no_object_in_s3_is_refused(uri: str) -> None:
    with pytest.raises(BadInput, match="s3://bucket/path/to/file"):
        place(uri)


def test_awss_own_client_works_against_the_fake(fake: AwsFake, buckets: S3Buckets) -> None:
    client = get_session().create_client(
        "s3",
        endpoint_url=fake.url,
        region_name="us-east-1",
        aws_access_key_id=ACCOUNT.access_key,
        aws_secret_access_key=ACCOUNT.secret_key,
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )
    client.put_object(Bucket="bucket-1", Key="a b/ü", Body=b"hi")
    assert client.get_object(Bucket="bucket-1", Key="a b/ü")["Body"].read() == b"hi"
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket="bucket-1", Key="other")
    client.close()
