"""What ``generateContent`` takes: the JSON names of ``GenerateContentRequest`` and its messages."""

from tests.vendors.shapes import ANY, MAP, NUMBER, TEXT, TRUTH, WHOLE, Shape, at_least, between, many, one_of, record

FUNCTION_CALL = record({"name": TEXT}, args=MAP, id=TEXT)
FUNCTION_RESPONSE = record({"name": TEXT, "response": MAP}, id=TEXT, parts=ANY, willContinue=TRUTH, scheduling=TEXT)
PART = record(
    text=TEXT,
    inlineData=record({"mimeType": TEXT, "data": TEXT}, displayName=TEXT),
    fileData=record({"mimeType": TEXT, "fileUri": TEXT}, displayName=TEXT),
    functionCall=FUNCTION_CALL,
    functionResponse=FUNCTION_RESPONSE,
    executableCode=MAP,
    codeExecutionResult=MAP,
    thought=TRUTH,
    thoughtSignature=TEXT,
    videoMetadata=MAP,
    mediaResolution=ANY,
)
DATA = ("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult")
CONTENT = record({"parts": many(PART, 1)}, role=one_of("user", "model", "function"))
DECLARATION = record(
    {"name": TEXT}, description=TEXT, parameters=MAP, parametersJsonSchema=MAP, response=MAP, responseJsonSchema=MAP
)
TOOL = record(
    functionDeclarations=many(DECLARATION, 1, 512),
    googleSearch=MAP,
    googleSearchRetrieval=MAP,
    codeExecution=MAP,
    retrieval=MAP,
    urlContext=MAP,
    enterpriseWebSearch=MAP,
    googleMaps=MAP,
    computerUse=MAP,
)
CALLING = record(
    mode=one_of("AUTO", "ANY", "NONE", "VALIDATED"), allowedFunctionNames=many(TEXT), streamFunctionCallArguments=TRUTH
)
THINKING = record(
    includeThoughts=TRUTH, thinkingBudget=WHOLE, thinkingLevel=one_of("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
)
CONFIG = record(
    temperature=between(0, 2),
    topP=between(0, 1),
    topK=NUMBER,
    candidateCount={"type": "integer", "minimum": 1, "maximum": 8},
    maxOutputTokens=at_least(1),
    stopSequences=many(TEXT, 0, 5),
    responseLogprobs=TRUTH,
    logprobs={"type": "integer", "minimum": 0, "maximum": 20},
    presencePenalty=between(-2, 2),
    frequencyPenalty=between(-2, 2),
    seed=WHOLE,
    responseMimeType=one_of("text/plain", "application/json", "text/x.enum"),
    responseSchema=MAP,
    responseJsonSchema=MAP,
    routingConfig=MAP,
    audioTimestamp=TRUTH,
    responseModalities=many(TEXT),
    mediaResolution=TEXT,
    speechConfig=MAP,
    thinkingConfig=THINKING,
    imageConfig=MAP,
)
BODY: Shape = record(
    {"contents": many(CONTENT, 1)},
    systemInstruction=CONTENT,
    tools=many(TOOL),
    toolConfig=record(functionCallingConfig=CALLING, retrievalConfig=MAP),
    safetySettings=many(record({"category": TEXT, "threshold": TEXT}, method=TEXT)),
    generationConfig=CONFIG,
    cachedContent=TEXT,
    labels=MAP,
    modelArmorConfig=MAP,
)
