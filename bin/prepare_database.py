"""Update tables, default data and the demo operator, and print the operator's e-mail address and password.

bin/run starts this with the Python of .venv. One process runs all commands, because starting Django takes longer than
each of them. With --demo-invoice it also makes an invoice to pay and prints its link.
"""

import gc
import io
import os
import sys

from paths import ROOT


def main() -> int:
    """Run the commands in order. Returns the exit code."""
    # As in manage.py: migrations make garbage seldom, and to look for it often takes a fifth of their time.
    gc.set_threshold(50_000, 20, 50)
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
