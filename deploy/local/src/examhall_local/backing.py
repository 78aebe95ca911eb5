"""PostgreSQL and RabbitMQ behind the services: private nodes, or what DATABASE_URL and RABBITMQ_URL name."""

from collections.abc import Callable, Sequence

from examkit.provision import provision

from examhall_local.files import kept_password
from examhall_local.keeper import Keeper
from examhall_local.options import Options
from examhall_local.plan import GATEWAY, Access, Service
from examhall_local.postgres import PrivatePostgres
from examhall_local.processes import ProcessRef
from examhall_local.rabbitmq import PrivateRabbit
from examhall_local.statedir import StateDir


class Backing:
    """The nodes. `start_postgres` and `start_rabbitmq` block until the node answers, in any thread."""

    def __init__(
        self,
        options: Options,
        folder: StateDir,
        services: Sequence[Service],
        *,
        changed: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._options = options
        self._folder = folder
        users = (*(s.name for s in services), GATEWAY)
        self._postgres = None if options.database_url else PrivatePostgres(folder.path)
        self._rabbit = None if options.rabbitmq_url else PrivateRabbit(folder.path, users=users)
        self._keepers: list[Keeper] = []
        self._changed = changed
        self._say = say

    @property
    def is_postgres_private(self) -> bool:
        """Whether nobody but this run changes the database."""
        return self._postgres is not None

    @property
    def admin_dsn(self) -> str:
        """The administrator's."""
        return self._postgres.dsn if self._postgres else self._options.database_url

    def rabbitmq_url(self, user: str | None = None) -> str:
        """A user's, or the administrator's. A node that others run is used with the one URL they gave."""
        if self._rabbit is None:
            return self._options.rabbitmq_url
        return self._rabbit.url_of(user) if user else self._rabbit.url

    @property
    def processes(self) -> dict[str, ProcessRef]:
        """The private nodes' processes that run now."""
        return {k.name: p for k in list(self._keepers) if (p := k.process) is not None}

    def start_postgres(self) -> None:
        """Starts the private PostgreSQL, if it is one."""
        node = self._postgres
        if node is not None:

            def launch() -> object:
                node.start()
                return node.process

            self._keep("postgres", launch)

    def start_rabbitmq(self) -> None:
        """Starts the private RabbitMQ and its port mapper, if it is one."""
        node = self._rabbit
        if node is not None:

            def launch() -> object:
                node.start()
                return node.process

            self._keep("rabbitmq", launch)
            self._keep("epmd", node.start_epmd)

    def access(self, service: Service) -> Access:
        """Makes schema and roles of a service, and tells with which roles it works."""
        return make_access(self.admin_dsn, self._folder, service)

    def settle(self) -> None:
        """Returns when a crash of a private node would lose nothing that was just made."""
        if self._rabbit is not None:
            self._rabbit.settle()

    def stop(self) -> None:
        """Ends the private nodes, also one that is only just starting."""
        for keeper in self._keepers:
            keeper.let_go()
        for node in (self._rabbit, self._postgres):
            if node is not None:
                node.stop()
        for keeper in self._keepers:
            keeper.stop(1)

    def _keep(self, name: str, launch: Callable[[], object]) -> None:
        keeper = Keeper(name, launch, changed=self._changed, say=self._say)  # type: ignore[arg-type]
        self._keepers.append(keeper)
        keeper.start()


def make_access(admin_dsn: str, folder: StateDir, service: Service) -> Access:
    """The same in the database of `admin_dsn`, with the passwords of `folder`."""
    migrate, serve = (
        kept_password(folder.passwords, f"{service.name}-{role}") for role in ("migrate", "serve")
    )
    urls = provision(admin_dsn, service.name, migrate, serve)
    return Access(database_url=urls.serve_dsn, migrate_database_url=urls.migrate_dsn)
