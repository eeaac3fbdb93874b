"""What language models may do: the intents of intent.py, in Home Assistant 2026.8 and newer.

Older ones give them all intents by themselves, and never load this file.
"""

from homeassistant.components.llm import LLMTools
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import llm

from .const import DOMAIN
from .intent import INTENTS, Request
from .target import exposed_entries


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str
) -> LLMTools | None:
    """Return the tools, if there is a transmitter that they may be used for."""
    if api_id != llm.LLM_API_ASSIST or not llm_context.assistant:
        return None
    if not exposed_entries(hass, llm_context.assistant):
        return None
    tools: list[llm.Tool] = []
    for handler in INTENTS:
        tool = llm.IntentTool(handler.intent_type, handler)
        if hasattr(tool, "intent_type"):  # in 2026.8, a tool's name is that of its intent
            tool.name = f"{DOMAIN}__{handler.intent_type}"
        tool.integration = DOMAIN
        # Since 2026.10. Without annotations, a tool counts as destructive: right for a page.
        if handler.request is not Request.PAGE and (kind := getattr(llm, "ToolAnnotations", None)):
            tool.annotations = kind(read_only=True, open_world=False)
        tools.append(tool)
    return LLMTools(tools=tools)
