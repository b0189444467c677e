"""`/v1/deletions`: signed records of deletions. Not one of OpenAI's routes."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends

from retrieval.documents.deletion_proofs import DeletionProofs, statement
from retrieval.documents.deletions import Deletion, Kind
from retrieval.documents.pages import Window
from retrieval.documents.routes import TENANT
from retrieval.documents.routes.files import Tenant
from retrieval.documents.routes.windows import window
from retrieval.documents.schemas import Listable, Listed
from retrieval.documents.signing import Signer, canonical
from service.application import refusals, router

DELETIONS = TENANT + "/deletions"


class DeletionObject(Listable):
    object: Literal["deletion"] = "deletion"
    deleted_at: int
    kind: Kind
    subject: str
    """The id of the deleted file or vector store."""
    name: str
    proven: bool
    """False until a search afterwards has found nothing."""
    statement: str
    """The signed text: JSON with the counts of what was found, all 0. Empty before the search."""
    signature: str
    """Ed25519 over the UTF-8 of the statement, in base64."""
    public_key: str
    """32 bytes in base64."""

    @classmethod
    def of(cls, deletion: Deletion, signer: Signer) -> Self:
        proven = bool(deletion.checked)
        return cls(
            id=deletion.id,
            deleted_at=deletion.created // 1_000_000,
            kind=deletion.kind,
            subject=deletion.subject,
            name=deletion.name,
            proven=proven,
            statement=canonical(statement(deletion)).decode() if proven else "",
            signature=deletion.signature,
            public_key=signer.public_key,
        )


def deletion_routes(proofs: DeletionProofs) -> APIRouter:
    routes = router()

    @routes.get(DELETIONS)
    def listed(tenant: Tenant, part: Annotated[Window, Depends(window)]) -> Listed[DeletionObject]:
        chosen = proofs.of_tenant(tenant, part)
        return Listed.of(chosen, [DeletionObject.of(each, proofs.signer) for each in chosen.items])

    @routes.get(DELETIONS + "/{deletion_id}", responses=refusals(404))
    def get(tenant: Tenant, deletion_id: str) -> DeletionObject:
        return DeletionObject.of(proofs.get(tenant, deletion_id), proofs.signer)

    return routes
