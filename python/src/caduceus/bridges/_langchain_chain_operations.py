"""What can be asked of chains: to be made, run, listed and deleted?"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._langchain_errors import translated
from caduceus.bridges._langchain_messages import usage_of
from caduceus.bridges._langchain_objects import make_prompt
from caduceus.bridges._langchain_output import read_output, response_format
from caduceus.bridges._langchain_scopes import Chain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from caduceus.bridges._langchain_objects import LangChain, Llm
    from caduceus.bridges._langchain_scopes import Scopes

_CREATE_CHAIN = {
    "id": Argument((str,), is_required=True),
    "template": Argument((str,), is_required=True),
    "input_variables": Argument((list,)),
    "template_format": Argument((str,)),
    "system": Argument((str,)),
    "output_schema": Argument((dict,)),
}
_STREAM_CHAIN = {"chain_id": Argument((str,), is_required=True), "inputs": Argument((dict,))}
_RUN_CHAIN = {**_STREAM_CHAIN, "usage": Argument((bool,))}
_CHAIN = {"chain_id": Argument((str,), is_required=True)}


class ChainOperations:
    """The part of the bridge that is about chains."""

    _lib: LangChain
    _scopes: Scopes

    def _handle_create_chain(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("create_chain", args, _CREATE_CHAIN)
        form = args.get("template_format") or "f-string"
        if form != "f-string":
            # Jinja runs what is written in a template; one from the wire must not be run.
            raise invalid(f"create_chain: template_format must be f-string, not {form!r}")
        schema = args.get("output_schema")
        chain = Chain(
            chain_id=args["id"],
            template=args["template"],
            system=args.get("system"),
            prompt=make_prompt(self._lib, args["template"], args.get("system")),
            output_schema=schema,
            response_format=response_format(schema),
            created_at=time.time(),
        )
        found = chain.input_variables
        given = args.get("input_variables")
        if given is not None and sorted(map(str, given)) != found:
            raise invalid(
                f"create_chain: the template has {', '.join(found) or 'no variables'}; "
                f"input_variables names {', '.join(map(str, given)) or 'none'}"
            )
        # The same id again replaces: a journal is replayed without knowing how far it got before.
        self._scopes.own().chains[chain.chain_id] = chain
        return {"chain_id": chain.chain_id, "status": "created", "input_variables": found}

    async def _handle_run_chain(self, args: dict[str, Any]) -> dict[str, Any]:
        with self._chain_run("run_chain", args) as (chain, llm, runnable):
            started_s = time.monotonic()
            message = await runnable.ainvoke(args.get("inputs") or {})
            result: object = str(message.text)
            if chain.output_schema is not None:
                result = read_output(str(message.text), chain.output_schema)
            chain.run_count += 1
            reply = {
                "chain_id": chain.chain_id,
                "result": result,
                "execution_time": time.monotonic() - started_s,
            }
            if args.get("usage"):
                reply["usage"] = usage_of([message], llm.model_name) or None
            return reply

    async def _handle_stream_chain(self, args: dict[str, Any]) -> AsyncGenerator[str, None]:
        with self._chain_run("stream_chain", args) as (chain, _llm, runnable):
            async for chunk in runnable.astream(args.get("inputs") or {}):
                if chunk.text:
                    yield str(chunk.text)
            chain.run_count += 1

    def _handle_list_chains(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("list_chains", args, {})
        chains = [chain.describe() for chain in self._scopes.seen().chains.values()]
        return {"chains": chains, "total_count": len(chains)}

    def _handle_delete_chain(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("delete_chain", args, _CHAIN)
        chain = self._scopes.chain(args["chain_id"])
        del self._scopes.own().chains[chain.chain_id]
        return {"chain_id": chain.chain_id, "status": "deleted"}

    @contextmanager
    def _chain_run(self, op: str, args: dict[str, Any]) -> Iterator[tuple[Chain, Llm, Any]]:
        """Find what a chain's run needs, and hold the model while it runs."""
        check_arguments(op, args, _RUN_CHAIN if op == "run_chain" else _STREAM_CHAIN)
        chain = self._scopes.chain(args["chain_id"])
        _check_inputs(op, chain, args.get("inputs") or {})
        with self._scopes.llm().used() as llm, translated():
            model = llm.chat
            if chain.response_format is not None:
                model = model.bind(response_format=chain.response_format)
            yield chain, llm, chain.prompt | model


def _check_inputs(op: str, chain: Chain, inputs: dict[str, Any]) -> None:
    expected = chain.input_variables
    missing = [name for name in expected if name not in inputs]
    unexpected = [name for name in inputs if name not in expected]
    findings = [
        f"{word} {', '.join(names)}"
        for word, names in (("missing", missing), ("unexpected", unexpected))
        if names
    ]
    if findings:
        raise invalid(
            f"{op}: inputs of {chain.chain_id!r}: {'; '.join(findings)}; "
            f"expected: {', '.join(expected) or 'none'}"
        )
