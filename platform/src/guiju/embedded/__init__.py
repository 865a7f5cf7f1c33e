"""PostgreSQL and Valkey out of Python wheels, so that Guiju runs where nothing is installed.

The real servers, not imitations: what is tried out and tested here is what runs in
production. Everything lives in one data folder and is reached through Unix sockets, so no
port is taken and no other user of the machine can connect.

    with embedded.start(embedded.default_data_dir()) as services:
        connect(services.database_url)

Installed by the extra ``guiju[embedded]``; Linux and macOS.
"""

from guiju.embedded.errors import EmbeddedError
from guiju.embedded.services import Services, default_data_dir, start

__all__ = ["EmbeddedError", "Services", "default_data_dir", "start"]
