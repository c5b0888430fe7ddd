"""A generateContent body: checked as Vertex AI checks it, then as typed values."""

import msgspec

from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.refusals import Refusal, invalid

ROLES = {"", "user", "model", "function", "tool"}
MOST_STOPS = 5
RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "candidate_count": (1, 8),
    "max_output_tokens": (1, 1_000_000),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
}


class FunctionCall(msgspec.Struct, frozen=True, rename="camel"):
    """A call the model made in an earlier turn."""

    name: str = ""
    args: dict[str, object] = {}


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """A piece of a turn, as far as it is read here."""

    text: str = ""
    function_call: FunctionCall | None = None
    function_response: dict[str, object] | None = None


class Content(msgspec.Struct, frozen=True, rename="camel"):
    """One turn."""

    role: str = ""
    parts: list[Part] = []

    @property
    def said(self) -> str:
        """Its text."""
        return "".join(part.text for part in self.parts)


class Declaration(msgspec.Struct, frozen=True, rename="camel"):
    """A function the model may call."""

    name: str
    parameters: dict[str, object] | None = None
    parameters_json_schema: dict[str, object] | None = None


class Tool(msgspec.Struct, frozen=True, rename="camel"):
    """A set of functions."""

    function_declarations: list[Declaration] = []


class CallingConfig(msgspec.Struct, frozen=True, rename="camel"):
    """Whether functions must be called, and which."""

    mode: str = "AUTO"
    allowed_function_names: list[str] = []


class ToolConfig(msgspec.Struct, frozen=True, rename="camel"):
    """How tools are used."""

    function_calling_config: CallingConfig = CallingConfig()


class GenerationConfig(msgspec.Struct, frozen=True, rename="camel"):
    """The settings that change a simulated answer; the rest are checked and accepted."""

    temperature: float | None = None
    top_p: float | None = None
    candidate_count: int = 1
    max_output_tokens: int | None = None
    stop_sequences: list[str] = []
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: str = ""
    response_schema: dict[str, object] | None = None
    response_json_schema: object = None


class GenerateBody(msgspec.Struct, frozen=True, rename="camel"):
    """A whole request."""

    contents: list[Content] = []
    system_instruction: Content | None = None
    tools: list[Tool] = []
    tool_config: ToolConfig = ToolConfig()
    generation_config: GenerationConfig = GenerationConfig()

    @property
    def asked(self) -> str:
        """The last thing the user said."""
        return next((turn.said for turn in reversed(self.contents) if turn.role != "model" and turn.said), "")

    @property
    def prompt(self) -> str:
        """All the text there is, for counting."""
        system = [self.system_instruction.said] if self.system_instruction else []
        return "\n".join([*system, *(turn.said for turn in self.contents)])

    @property
    def functions(self) -> list[Declaration]:
        """Every declared function."""
        return [each for tool in self.tools for each in tool.function_declarations]


def checked(body: dict[str, object], *, kind: str = "GenerateContentRequest") -> GenerateBody:
    """The request. Raises Refusal (400) in the words of Vertex AI where it breaks a rule."""
    # int64 fields come out of the proto as strings, hence the lax conversion.
    request = msgspec.convert(canonical(kind, body), GenerateBody, strict=False)
    if not request.contents:
        raise Refusal("INVALID_ARGUMENT", "Unable to submit request because at least one contents field is required.")
    for turn in request.contents:
        _check_turn(turn)
    _check_parts(body)
    _check_config(request.generation_config)
    return request


def _check_turn(turn: Content) -> None:
    if turn.role not in ROLES:
        raise Refusal("INVALID_ARGUMENT", "Please use a valid role: user, model.")
    if not turn.parts:
        message = (
            "Unable to submit request because it must include at least one parts field, which describes the prompt."
        )
        raise Refusal("INVALID_ARGUMENT", message)


def _check_parts(body: dict[str, object]) -> None:
    """A part without data passes the proto, but not Vertex AI; the body as sent still shows it."""
    for turn in msgspec.convert(body, _SentBody).contents:
        if any(not part for part in turn.parts):
            message = "Unable to submit request because it must have a text parameter or other data in every part."
            raise Refusal("INVALID_ARGUMENT", message)


class _SentContent(msgspec.Struct, frozen=True, rename="camel"):
    parts: list[dict[str, object]] = []


class _SentBody(msgspec.Struct, frozen=True, rename="camel"):
    contents: list[_SentContent] = []


def _check_config(config: GenerationConfig) -> None:
    for field, (low, high) in RANGES.items():
        value: float | None = getattr(config, field)
        if value is not None and not low <= value <= high:
            raise invalid(f"generation_config.{field}", f"{field} must be in the range [{low}, {high}], not {value}.")
    if len(config.stop_sequences) > MOST_STOPS:
        raise invalid("generation_config.stop_sequences", f"At most {MOST_STOPS} stop sequences are allowed.")
