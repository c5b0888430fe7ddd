# The part of LiteLLM that tuneway.litellm_provider uses: LiteLLM itself wants an older openai than the tools here.

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ModelResponse as ModelResponse
from typing_extensions import TypedDict

class CustomLLMItem(TypedDict):
    provider: str
    custom_handler: CustomLLM

custom_provider_map: list[CustomLLMItem]
