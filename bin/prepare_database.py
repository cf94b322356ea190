"""Update tables, default data and the demo operator, and print the operator's e-mail address and password.

bin/run starts this under .venv's Python. One process for all commands: starting Django takes longer than each.
With --demo-invoice there is also an invoice to pay, whose link is printed.
"""

import io
import os
import sys

from paths import ROOT


def main() -> int:
    """Run the commands in order. Returns the exit code."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")
    import django
    from django.core.management import CommandError, call_command

    try:
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("seed_defaults", stdout=io.StringIO())
        call_command("ensure_demo_operator")
        if "--demo-invoice" in sys.argv:
            call_command("demo_invoice")
    except CommandError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
