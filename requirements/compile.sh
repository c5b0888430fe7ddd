#!/bin/sh
# Pin every dependency group with hashes, all in agreement. Usage: compile.sh path/to/uv
set -eu
uv=$1
compile() {
    "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url "$@"
}
compile --group dev --output-file requirements/dev.txt
compile --group litellm --output-file requirements/litellm.txt
compile --group checkov --output-file requirements/checkov.txt
compile --group openai_cli --output-file requirements/openai_cli.txt
for group in uv local predict tuning registry tick create_job poll_jobs conduct_sweep register_model deploy_model dead_letter record_usage notify lint_dataset; do
    compile --group "$group" --constraint requirements/dev.txt --output-file "requirements/$group.txt"
done
