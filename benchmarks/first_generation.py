"""The design of the first generation, to be measured beside: FastAPI, chunks as files of their own, joined at the end.

Chunks come in a form (`POST`, as they did then) or as the body itself (`PUT`, to see what the form costs).
Run by uvicorn in an environment of its own; the directory comes from `FIRST_GENERATION_DIR`. No example to follow.
"""

import os
import shutil
import uuid
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, File, Form, Request, UploadFile

DIRECTORY = Path(os.environ["FIRST_GENERATION_DIR"])
app = FastAPI()


def _chunks(upload_id: uuid.UUID) -> Path:
    path = DIRECTORY / "chunks" / str(upload_id)
    path.mkdir(parents=True, exist_ok=True)
    return path


@app.post("/uploads/{upload_id}/chunks")
async def take_form(upload_id: uuid.UUID, index: Annotated[int, Form()], file: Annotated[UploadFile, File()]):
    (_chunks(upload_id) / f"{index:08}").write_bytes(await file.read())
    return {"index": index}


@app.put("/uploads/{upload_id}/chunks/{index}")
async def take_body(upload_id: uuid.UUID, index: int, request: Request):
    with (_chunks(upload_id) / f"{index:08}").open("wb") as chunk:
        async for piece in request.stream():
            chunk.write(piece)
    return {"index": index}


@app.post("/uploads/{upload_id}/finalize")
def finalize(upload_id: uuid.UUID):
    with (DIRECTORY / str(upload_id)).open("wb") as whole:
        for path in sorted(_chunks(upload_id).iterdir()):
            with path.open("rb") as chunk:
                shutil.copyfileobj(chunk, whole)
    shutil.rmtree(_chunks(upload_id))
    return {"file_id": upload_id}


@app.delete("/files/{file_id}")
def delete(file_id: uuid.UUID):
    (DIRECTORY / str(file_id)).unlink()
    return {}
