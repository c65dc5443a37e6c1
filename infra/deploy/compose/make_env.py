"""Print secrets for a new deployment as lines of an .env file. The standard library and `openssl` are all it needs."""

import secrets
import subprocess

PASSWORDS = ("DOXIE_DB_PASSWORD", "DOXIE_APP_DB_PASSWORD", "DOXIE_REDIS_PASSWORD", "PREFECT_DB_PASSWORD")
KEYS = ("DOXIE_S3_SECRET_KEY", "DOXIE_SECRET_KEY")


def main() -> None:
    """Keep what is printed: with the secret key lost, what is sealed with it is lost."""
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, text=True, check=True)
    for name in PASSWORDS:
        print(f"{name}={secrets.token_hex(24)}")
    print(f"DOXIE_S3_ACCESS_KEY={secrets.token_hex(10)}")
    for name in KEYS:
        print(f"{name}={secrets.token_hex(32)}")
    line = "\\n".join(pem.stdout.splitlines())
    print(f"DOXIE_SIGNING_KEY='{line}'")


if __name__ == "__main__":
    main()
