"""From a run to the folder of an exported model."""

import copy
from importlib.metadata import version
from pathlib import Path

from mt.config.exported import Engine, Exported, ExportedModel, Pieces, Vocabularies, Weights, positions_of
from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD, UNK
from mt.export.ctranslate_spec import write_model
from mt.export.folder import NAME, describe_files, new_folder
from mt.export.onnx_graphs import write_graphs
from mt.models.contract import Look, default_site
from mt.models.transformer import Transformer
from mt.runs.run import Run


def export_run(run: Run, engine: Engine, folder: Path, weights: Weights = "float32") -> None:
    """Write a run's model for an engine, with all that it needs to translate, into a new folder.

    Raises UserError where the engine cannot hold the model or such weights, and as `new_folder`.
    """
    model, config, tokenizers = copy.deepcopy(run.model).cpu().float().eval(), run.config, run.tokenizers
    site = default_site(model, config.model.report)
    settings = config.search
    if engine == "ctranslate2" and (not isinstance(model, Transformer) or site is None):
        raise UserError(f"CTranslate2 holds no such model ({model.summary}), only Transformers: export {run} --to onnx")
    if engine == "onnx" and weights != "float32":
        raise UserError(f"weights of an ONNX export are float32 here, not {weights}: leave --weights out")
    with new_folder(folder) as temporary:
        tokenizers.save(temporary)
        if isinstance(model, Transformer) and site is not None and engine == "ctranslate2":
            positions = positions_of(settings)
            write_model(model, tokenizers, site, temporary, positions=positions, weights=weights)
            made = ExportedModel(has_attention=True, positions=positions, weights=weights)
        else:
            encode, step = write_graphs(model, Look(site), temporary)
            made = ExportedModel(has_attention=model.has_attention, encode=encode, step=step)
        names = sorted(file.name for file in temporary.glob("tokenizer*.model"))
        told = Exported(
            mt=version("mt"),
            engine=engine,
            run=run.fingerprint,
            source=config.corpus.source,
            target=config.corpus.target,
            model=made,
            vocabularies=Vocabularies(
                source=names[0],
                target=names[-1],
                normalize=config.vocabulary.normalize == "nfc",
                special=Pieces(pad=PAD, unk=UNK, bos=BOS, eos=EOS),
            ),
            search=settings,
            alignment=config.alignment,
            files=describe_files(temporary),
        )
        (temporary / NAME).write_text(told.model_dump_json(indent=2) + "\n", encoding="utf-8")
