"""Who stands behind the call being served, for the audit trail."""

from examkit.rpc.context import current_request_id, current_user, maybe_user

from exam_service.usecases.actor import Actor


def signed_in() -> Actor:
    """The user of this call. Raises unauthenticated where it came without one."""
    return Actor(str(current_user().user_id), request_id=current_request_id() or None)


def on_behalf_of(person: str) -> Actor:
    """The user of this call, or else the person that a trusted caller names, or the caller itself."""
    user = maybe_user()
    actor_id = str(user.user_id) if user is not None else person
    request_id = current_request_id() or None
    return Actor(actor_id, request_id=request_id) if actor_id else Actor(None, "service", request_id)
