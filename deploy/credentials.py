"""Make what clients need to come in (certificate, tokens, rights, kubeconfig), and the key that secrets are encrypted
with, once, for servers that share a folder.

    python credentials.py FOLDER SERVER_URL [HOST...]

The hosts are the names under which the servers are reached. `tag-history up` does the same for its own data folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from service.runtime.certificates import ensure_certificates
from service.runtime.credentials import ensure_rbac_file, ensure_token_file, write_kubeconfig
from service.secretstore.keyring import ensure_key_file


def main(folder: Path, server_url: str, hosts: list[str]) -> None:
    ensure_token_file(folder / "tokens.csv")
    ensure_rbac_file(folder / "rbac.yaml")
    ensure_key_file(folder / "secrets.key")
    certificates = ensure_certificates(folder / "pki", hosts)
    write_kubeconfig(folder / "kubeconfig", server_url, certificates.authority_pem, folder / "tokens.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
