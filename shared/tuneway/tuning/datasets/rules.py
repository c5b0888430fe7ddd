"""The rules a dataset is held against: what each one means for the file, and what to do about it.

An *error* stops the file; a *warning* does not, and names everything that the copy for the provider will not carry.
"""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Rule(msgspec.Struct, frozen=True):
    """One rule: the remedy is what the dataset's author does next."""

    severity: Severity
    remedy: str


RULES: dict[str, Rule] = {
    # the file
    "empty_dataset": Rule("error", "Upload a JSONL file with one training example on each line."),
    "too_many_rows": Rule("error", "Leave rows out, or split the work into several jobs."),
    "too_many_media_rows": Rule("error", "Leave rows with files out; the limit for them is lower than for text."),
    "too_many_bytes": Rule("error", "Leave rows out or shorten them, then upload the smaller file."),
    "short_dataset": Rule("warning", "Add examples: 100 to 500 good ones are the usual start."),
    "byte_order_mark": Rule("warning", "Save the file as UTF-8 without a byte order mark; the copy is made without."),
    "foreign_file": Rule("error", "Unpack it, or pack it with gzip; save a spreadsheet as CSV in UTF-8."),
    "broken_gzip": Rule("error", "Pack the file once more with gzip, or upload it unpacked."),
    "unpacked_too_large": Rule("error", "Leave rows out, or split the file, before packing it."),
    "broken_json": Rule("error", "Close what is open there, or write one JSON object on each line (JSONL)."),
    "keys_ignored": Rule("warning", "Remove the key, or put it into the rows: only rows are read."),
    "missing_column": Rule(
        "error",
        "Name two columns prompt and completion, or question and answer (for preferences prompt, chosen and rejected); "
        "or say which columns hold them: 'columns' beside the file, --prompt-column and --completion-column on the "
        "command line.",
    ),
    "column_ignored": Rule("warning", "Remove the column, or say which columns to read."),
    "ragged_row": Rule("error", "Give the row a cell for each column; quote cells that hold a delimiter."),
    "misplaced_quote": Rule("error", 'Quote the whole cell and write each quote in it twice: "He said ""yes""".'),
    "unclosed_quote": Rule("error", "Close the quote, and write each quote inside of a quoted cell twice."),
    "broken_parquet": Rule("error", "Write the Parquet file once more, or upload the rows as JSONL."),
    "parquet_unavailable": Rule("error", "Upload the rows as JSONL, JSON or CSV."),
    "blank_line": Rule("warning", "Remove the line; the copy is made without it."),
    "duplicate_row": Rule("warning", "Remove the repeated row unless it shall weigh more."),
    "duplicates_unchecked": Rule("warning", "Remove duplicates before uploading a file of this many rows."),
    "method_mismatch": Rule("error", "Use a file of the method's form, or ask for the method of the file's form."),
    "not_convertible": Rule("error", "Convert the file to a form that this base model takes, or choose another one."),
    "leaked_row": Rule("warning", "Take the row out of one file: the model is judged by what it has learned by heart."),
    "leaked_prompt": Rule("warning", "Take one of the two rows out: the model is judged by a prompt it has seen."),
    # on the way to another form
    "not_expressible": Rule("error", "Change the row, or convert to another form."),
    "would_be_lost": Rule("error", "Take it out of the row, or say that it may be lost."),
    # what should not be in it
    "secret": Rule("warning", "Revoke it and take it out of the row: a model repeats what it has learned."),
    "personal_data": Rule("warning", "Replace it by a made-up one, if you may not pass it on to everyone who asks."),
    # the line
    "line_too_long": Rule("error", "Keep one JSON object per line and put files into gs:// objects, not into the row."),
    "not_utf8": Rule("error", "Save the file as UTF-8."),
    "not_json": Rule("error", "Write the row as one complete JSON object on one line."),
    "unknown_form": Rule(
        "error",
        'Use {"messages": […]} (OpenAI chat), {"contents": […]} (Gemini), {"prompt", "completion"}, '
        '{"question", "answer"}, or for preferences {"input", "preferred_output", "non_preferred_output"}, '
        '{"contents", "completions"} or {"prompt", "chosen", "rejected"}; or say which other keys are asked '
        "and answered: 'columns' beside the file, --prompt-column and --completion-column on the command line.",
    ),
    "mixed_forms": Rule("error", "Write every row in the form of the first one, or use one file for each form."),
    "wrong_type": Rule("error", "Give the value the type that is expected."),
    "missing_key": Rule("error", "Add the key."),
    "unknown_key": Rule("error", "Remove the key or correct its spelling; nothing is dropped in silence."),
    "unknown_role": Rule(
        "error", "Use system, developer, user, assistant or tool in OpenAI chat; user or model in the Gemini form."
    ),
    # the conversation
    "no_turns": Rule("error", "Give at least one user turn and the answer to learn."),
    "first_turn": Rule("error", "Let the conversation begin with a user turn (after the system message)."),
    "last_turn": Rule("error", "End the conversation with the answer the model shall learn."),
    "system_not_first": Rule("error", "Move the system message to the front, or make it a user turn."),
    "empty_content": Rule("error", "Fill in the text, or remove the turn."),
    "part_shape": Rule("error", "Give each part exactly one of text, fileData, functionCall and functionResponse."),
    "row_too_long": Rule("error", "Shorten the row, or split the conversation into several rows."),
    "row_maybe_too_long": Rule("warning", "Shorten the row: the provider leaves out rows above its token limit."),
    "same_answers": Rule("warning", "Remove the row: nothing is learned from two answers that do not differ."),
    "one_answer": Rule("error", "Give one assistant turn, which answers the prompt."),
    "answered_prompt": Rule("error", "End the prompt with the turn that is to be answered."),
    "completion_pair": Rule("error", "Give two completions: score 1 for the one to prefer, 0 for the one to avoid."),
    # tools
    "arguments_not_object": Rule("error", 'Write the arguments as a JSON object in a string, such as "{\\"x\\": 1}".'),
    "call_unanswered": Rule("error", "Follow the call with a tool turn that answers it, or end the row at the call."),
    "answer_without_call": Rule("error", "Let the answer follow the turn that makes the call, and name the call's id."),
    "repeated_call_id": Rule("error", "Give each tool call of the row an id of its own."),
    "undeclared_function": Rule("warning", "Declare the function in the row's tools, as they are sent when serving."),
    # what the provider cannot express
    "bad_weight": Rule("error", "Give the weight 1 or 0, and assistant turns alone."),
    "weight_zero": Rule(
        "error", "Every answer of a row is learned: remove the turn, or cut the row so that it is not an answer."
    ),
    "name_dropped": Rule("warning", "The provider's turns have no name: put it into the text if it matters."),
    "detail_dropped": Rule("warning", "The provider knows no detail of one image: remove the key."),
    "strict_dropped": Rule("warning", "The provider knows no strict functions: remove the key."),
    "parallel_tool_calls_dropped": Rule(
        "warning", "The provider has no such switch: show single calls in the answers."
    ),
    "refusal_not_expressible": Rule("error", "Write the refusal as the text of the answer."),
    "function_call_not_expressible": Rule("error", "Use tool_calls and tool turns instead of function_call."),
    "functions_not_expressible": Rule("error", "Use tools instead of functions."),
    "audio_not_expressible": Rule("error", "Write the answer as text; tuning learns no spoken answers."),
    "part_not_expressible": Rule("error", "Upload the file to gs:// and write the row in the Gemini form (fileData)."),
    "media_inline": Rule("error", "Upload the data to Cloud Storage and refer to it as gs://bucket/path."),
    "media_not_gs": Rule("error", "Copy the file to Cloud Storage and refer to it as gs://bucket/path."),
    "media_data_uri": Rule("error", "Write data:image/png;base64,… or, better, refer to the file as gs://bucket/path."),
    "media_scheme": Rule("error", "Copy the file to Cloud Storage and refer to it as gs://bucket/path."),
    "media_mime": Rule("error", "Write the file's MIME type, such as image/png or application/pdf."),
    "media_type_unknown": Rule("error", "Give the object a usual extension, such as .png or .jpg."),
    "modality_not_taken": Rule("error", "Remove the file, or choose a base model that takes this kind of file."),
}
