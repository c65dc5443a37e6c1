"""`python -m infra.stack`: the `doxie` command."""

from infra.stack.cli import main

main()
