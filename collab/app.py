"""The WebSocket door put together: what listens, what runs beside it, and how it stops."""

import asyncio
import logging
import socket
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener, ws_create_server

from collab import access, protocol, room
from collab.admission import Admission
from collab.connection import Connection
from collab.gatekeeper import Gatekeeper
from collab.handshake import Switching
from collab.library import Library
from collab.metrics import Metrics
from collab.protocol import Close
from collab.reception import Reception
from collab.rooms import Rooms
from collab.sockets import Socket, narrow
from collab.tick import Tick
from infra import compiled, metrics, tracing
from infra.bus import Bus
from infra.db import Database
from infra.logging import get_logger
from infra.settings import Settings
from infra.storage import ObjectStore
from infra.tokens import Key, Signer
from models import auth
from models.documents import fullness

log = get_logger(__name__)

READ_BUFFER: Final = 2048
KERNEL_BUFFER: Final = 128 * 1024
"""The kernel takes twice that each way; left alone it takes up to 4 MB for a client that reads nothing."""
BACKLOG: Final = 4096
ACCEPTED_AT_ONCE: Final = 16
"""libuv takes one connection from a listening socket in each turn of the loop, and a turn takes as long as a handshake:
so there are as many handles of the one socket. With nobody waiting each costs a call that finds nothing."""
CHECK_SECONDS: Final = 5.0
DRAIN_SECONDS: Final = 7.0
GOODBYE_SECONDS: Final = 0.3
_SWITCHING: Final = Switching()


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """What picows has to complain of. Of a plain logger it makes a child for each socket, to tell of its coming."""

    def isEnabledFor(self, level: int) -> bool:
        """Only what is wrong, without asking the loggers above."""
        return level >= logging.WARNING

    def info(self, *args: object, **kwargs: object) -> None:
        """Nobody wants to know."""


class Door:
    """One collab process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._db = Database(settings.app_database_url.get_secret_value())
        self._bus = Bus(settings.redis_url.get_secret_value())
        self._metrics = Metrics(compiled=int(compiled.is_compiled(room)))
        look_up, unchanged = partial(access.guest_now, self._db), partial(access.unchanged, self._db)
        self._gatekeeper = Gatekeeper(look_up, unchanged)
        self._rooms = Rooms(
            settings,
            self._db,
            Library(self._db, ObjectStore(settings)),
            self._bus,
            self._metrics,
            suspect=self._gatekeeper.suspect,
        )
        self._admission = Admission(look_up, unchanged, lambda: self._rooms.news)
        self._signer = Signer.from_settings(settings)
        self._reception = Reception(settings, self._signer, self._db, self._rooms, self._admission)
        self._tick = Tick(asyncio.get_running_loop())
        self._sockets: set[Socket] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = False
        self._failed = False

    async def run(self, stop: asyncio.Event) -> bool:
        """Serve until told to stop, then save what is unsaved and send everybody away; whether all went well."""
        for work in (
            self._rooms.writer.run(),
            self._rooms.writer.watch(),
            self._rooms.keepers.run(),
            self._rooms.herald.run(),
            self._rooms.follow(),
            self._rooms.sweep(),
            fullness.watch(self._db, self._rooms.ration),
            self._admission.run(),
            self._gatekeeper.run(),
            self._gatekeeper.go_round(self._rooms.all),
            self._signer.follow(self._signing_keys),
            self._check_stores(),
            self._check_sockets(),
        ):
            self._start(work, stop)
        servers = await self._listen()
        log.info("listening", host=self._settings.collab_host, port=self._settings.collab_port)
        await stop.wait()
        for server in servers:
            server.close()
        await self._drain()
        return not self._failed

    async def _listen(self) -> list[asyncio.Server]:
        servers = [await self._listen_on(host=self._settings.collab_host, port=self._settings.collab_port)]
        for listening in servers[0].sockets:
            for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # of every socket that is accepted there
                listening.setsockopt(socket.SOL_SOCKET, buffer, KERNEL_BUFFER)
            for _ in range(ACCEPTED_AT_ONCE - 1):
                again = socket.fromfd(listening.fileno(), listening.family, listening.type)
                servers.append(await self._listen_on(sock=again))
        return servers

    async def _listen_on(self, **where: Any) -> asyncio.Server:
        return await ws_create_server(
            self._answer,
            max_frame_size=protocol.MAX_MESSAGE,
            read_buffer_init_size=READ_BUFFER,
            backlog=BACKLOG,
            logger_name=_Quiet(logging.getLogger("picows.server"), {}),
            use_aiofastnet=False,  # its transports take 5 KB more for each socket than the loop's own
            **where,
        )

    # --- requests ---

    def _answer(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener | None:
        path, _, query = request.path.decode("latin-1").partition("?")
        if path == "/healthz":
            return _text(200, "ok")
        if path == "/readyz":
            return _text(200, "ready") if self._ready else _text(503, "not ready")
        if path == "/metrics":
            if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
                return _text(404, "not for the outside")
            process = "\n".join(metrics.process("doxie_collab"))
            return _text(200, f"{self._metrics.render()}{process}\n")
        # picows insists on "Upgrade" alone; Firefox sends "keep-alive, Upgrade".
        connects = request.headers.get("connection", "").lower()
        if connects != "upgrade" and "upgrade" in connects:
            request.headers["connection"] = "Upgrade"
        line = Socket(self._tick, self._metrics, self._sockets)
        dialogue = self._reception.receive(line, path, query, request.headers)
        if dialogue is None:
            return None
        line.dialogue = dialogue
        return WSUpgradeResponseWithListener(_SWITCHING, Connection(line))

    # --- beside it ---

    def _start(self, work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.critical("a task of this process died", error=repr(error), exc_info=error)
                self._failed = True
                stop.set()

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        self._tasks.append(task)

    async def _signing_keys(self) -> list[Key]:
        async with self._db.transaction() as session:
            return await auth.signing_keys(session, self._settings)

    async def _check_sockets(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            now = time.monotonic()
            for line in list(self._sockets):
                line.check(now, self._settings.collab_stuck_seconds)
            narrow(self._sockets)

    async def _check_stores(self) -> None:
        """Ready means: documents can be opened. Without Redis they can."""
        while True:
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._db.ping()
                self._ready = True
            except Exception as error:
                if self._ready:
                    log.warning("not ready", error=repr(error))
                self._ready = False
            await asyncio.sleep(CHECK_SECONDS if self._ready else 0.2)

    async def _drain(self) -> None:
        """Hear nothing more, save what was heard, and close: whoever is told "saved" can rely on it to the end."""
        self._ready = False
        for line in self._sockets:
            line.deaf = True
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._rooms.writer.drained()
        except TimeoutError:
            log.error("stopping with unsaved edits; their clients still have them")
            self._failed = True
        for line in list(self._sockets):
            line.hang_up(Close.TRY_AGAIN, "restarting")
        await asyncio.sleep(GOODBYE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await self._rooms.keepers.close()
        await self._bus.close()
        await self._db.close()
        tracing.finish()


def _text(status: int, body: str) -> WSUpgradeResponseWithListener:
    make = WSUpgradeResponse.create_ok_response if status == 200 else WSUpgradeResponse.create_error_response
    arguments = (body.encode(),) if status == 200 else (status, body.encode())
    return WSUpgradeResponseWithListener(make(*arguments), None)
