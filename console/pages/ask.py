"""Ask: a chat with passages, scores and comparisons; judging answers into the golden set."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from pydantic import Field, StringConstraints
from starlette.responses import JSONResponse, Response, StreamingResponse

from console.answer import Answer, chunk_of, document_address
from console.api import ApiError, Json
from console.security import segment
from console.visit import SignedIn, Visit, event
from contract.body import Body

_CHAT = "/v1/chat/completions"
MOST_SEARCHED = 16  # collections of one question
MOST_TURNS = 40
Documents = Literal["all", "own", "none"]
Text = Annotated[str, Form(max_length=20_000)]


class Message(Body):
    role: Literal["user", "assistant"]
    content: Annotated[str, StringConstraints(max_length=20_000)]


class Question(Body):
    """`documents`: all collections, those that callers of the model get, or none."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    documents: Documents = "all"
    messages: Annotated[list[Message], Field(min_length=1, max_length=MOST_TURNS)]

    @property
    def asked(self) -> str:
        return self.messages[-1].content


def routes() -> APIRouter:
    pages = APIRouter(prefix="/ask")

    @pages.get("")
    async def form(visit: SignedIn) -> Response:
        return visit.page("ask.html", models=await models(visit), question="", chosen="", documents="all", answers=[])

    @pages.post("")
    async def ask(
        visit: SignedIn, question: Text, model: Text, documents: Annotated[Documents, Form()] = "all"
    ) -> Response:
        """For browsers without scripts: the whole answer at once."""
        asked = Question(model=model, documents=documents, messages=[Message(role="user", content=question)])
        body = await request_body(visit, asked)
        answer = Answer()
        answer.add(await visit.post(_CHAT, body))
        answers = [_html(visit, asked, body, answer)]
        return visit.page("ask.html", models=await models(visit), question=question, chosen=model,
                          documents=documents, answers=answers)  # fmt: skip

    @pages.post("/stream")
    async def stream(visit: SignedIn, question: Question) -> Response:
        """Events: `text` as it comes, then `done` with the answer as HTML, or `fault`."""
        headers = {"x-accel-buffering": "no"}
        return StreamingResponse(_events(visit, question), media_type="text/event-stream", headers=headers)

    @pages.post("/rating")
    async def rating(
        visit: SignedIn, model: Text, question: Text, answer: Text, verdict: Text, correction: Text = ""
    ) -> Response:
        body = {"model": model, "question": question, "answer": answer, "is_right": verdict == "right",
                "correction": "" if verdict == "right" else correction}  # fmt: skip
        kept = await visit.post(f"{visit.path}/ratings", body)
        if "application/json" in visit.request.headers.get("accept", ""):
            return JSONResponse({"id": kept["id"], "message": visit.language("ask.saved")})
        return visit.go("/golden")

    return pages


def golden_routes() -> APIRouter:
    pages = APIRouter(prefix="/golden")

    @pages.get("")
    async def golden(visit: SignedIn) -> Response:
        return visit.page("golden.html", ratings=(await visit.get(f"{visit.path}/ratings"))["data"])

    @pages.get("/download")
    async def download(visit: SignedIn) -> Response:
        """A line of JSON for each, for tests of new versions."""
        ratings = (await visit.get(f"{visit.path}/ratings"))["data"]
        lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in ratings)
        headers = {"content-disposition": 'attachment; filename="golden.jsonl"'}
        return Response(lines, media_type="application/jsonl", headers=headers)

    @pages.post("/{rating_id}/remove")
    async def remove(visit: SignedIn, rating_id: str) -> Response:
        await visit.delete(f"{visit.path}/ratings/{segment(rating_id)}")
        return visit.go("/golden", "removed")

    return pages


async def models(visit: Visit) -> Sequence[Json]:
    """The answering models, without the embedder: adapters first, each before its other versions (with their
    `role`), then base models."""
    listed = (await visit.get("/v1/models"))["data"]
    answering = [each for each in listed if each["owned_by"] == visit.tenant]
    ordered = sorted(answering, key=lambda each: (each["parent"] is None, each["id"]))
    return [choice for each in ordered for choice in (each, *_other_versions(each))]


def _other_versions(model: Json) -> list[Json]:
    versions: list[Json] = model.get("versions", [])  # an earlier gateway has none
    return [version for version in versions if version["role"] != "active"]


async def request_body(visit: Visit, question: Question) -> Json:
    """The body for the chat API."""
    body: Json = {"model": question.model, "messages": [each.model_dump() for each in question.messages]}
    if question.documents == "none":
        return body | {"retrieval": {"grounded": False}}
    if question.documents == "own":
        return body | {"retrieval": {"explain": True}}
    stores = (await visit.get("/v1/vector_stores", limit=str(MOST_SEARCHED)))["data"]
    names = [store["knowledge_base"] for store in stores]
    return body | {"retrieval": {"knowledge_bases": names, "explain": True} if names else {"grounded": False}}


async def _events(visit: Visit, question: Question) -> AsyncIterator[str]:
    answer = Answer()
    try:
        body = await request_body(visit, question)
        async for line in visit.api.stream(visit.person, _CHAT, {**body, "stream": True}):
            if (chunk := chunk_of(line)) and (added := answer.add(chunk)):
                yield event("text", added)
        if answer.fault:
            yield event("fault", answer.fault)
            return
        yield event("done", {"html": _html(visit, question, body, answer), "text": answer.text})
    except ApiError as error:
        yield event("fault", error.message or visit.language("problem.away"))


def _html(visit: Visit, question: Question, body: Json, answer: Answer) -> str:
    considered = [{**each, "address": document_address(each)} for each in answer.considered]
    shown = {name: value for name, value in body.items() if name != "retrieval"} | _copied(body["retrieval"])
    return visit.text(
        "answer.html",
        answer=answer,
        question=question,
        considered=considered,
        gateway=visit.request.app.state.settings.gateway_url,
        body=shown,
        json=_json,
        python=repr,
    )


def _copied(retrieval: Mapping[str, Any]) -> Json:
    """For a copied request: without this page's own fields."""
    kept = {name: value for name, value in retrieval.items() if name != "explain"}
    return {"retrieval": kept} if kept else {}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
