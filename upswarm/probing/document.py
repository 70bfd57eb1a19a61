"""The findings as a JSON document, for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from upswarm.probing.aftermath import Aftermath
from upswarm.probing.findings import Findings
from upswarm.probing.sentences import sentences

SCHEMA_VERSION = 1


def document(findings: Findings) -> dict[str, Any]:
    """Everything that the terminal shows; sizes are bytes and times seconds, as the names say."""
    buffering = findings.buffering
    return {
        "schema_version": SCHEMA_VERSION,
        "target": findings.target_url,
        "protocol": findings.protocol_name,
        "file_size_bytes": findings.grid.size_bytes,
        "chunk_size_bytes": findings.grid.chunk_size_bytes,
        "promise": {
            "resumes": findings.caps.resumes,
            "sequential": findings.caps.sequential,
            "keeps_a_cut_chunks_bytes": findings.caps.resumes and not findings.grid.fixed,
        },
        "keeping": findings.keeping.name.lower(),
        "uncut_file": findings.uncut.name.lower(),
        "cuts": [_aftermath(each) for each in findings.aftermaths],
        "left_out": findings.left_out,
        "buffering": {
            "verdict": buffering.verdict.name.lower(),
            "early_refusal": asdict(buffering.refusal),
            "paused_chunk": asdict(buffering.midway),
        },
        "sentences": sentences(findings),
        "elapsed_s": round(findings.elapsed_s, 3),
        "exit_code": findings.exit_code,
    }


def _aftermath(each: Aftermath) -> dict[str, Any]:
    return {
        "point": each.cut.point.name.lower(),
        "ending": each.cut.ending.name.lower(),
        "pause_s": each.cut.pause_s,
        "asked_s": round(each.asked_s, 3),
        "sent_bytes": each.sent_bytes,
        "held_bytes": None if each.kept is None else each.held_bytes,
        "kept": each.kept and each.kept.name.lower(),
        "finished": each.finished,
        "resumes": each.resumes,
        "file": each.check.name.lower(),
        "notes": list(each.notes),
    }
