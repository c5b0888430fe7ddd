"""``python -m tuneway.cli``."""

from tuneway.cli.main import main

main(prog_name="tuneway")
