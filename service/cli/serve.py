"""`tag-history serve`: one API process over engines that are already there."""

from __future__ import annotations

import argparse

import uvloop

from service.app import serve
from service.cli.options import add_serve_options, serve_settings
from service.runtime.tasks import run_until_signal


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("serve", help="serve the API; many may run side by side")
    add_serve_options(parser)
    parser.set_defaults(func=_run)


def _run(args: argparse.Namespace) -> None:
    uvloop.run(run_until_signal(serve(serve_settings(args))))
