"""Docling as an engine of pdfingest: DOCLING_ARTIFACTS_PATH=models run pdfs --engine docling."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pdfingest import DocumentInfo, EncryptedError, MalformedError, Needs, Page

MODELS = "DOCLING_ARTIFACTS_PATH"
NEEDS = Needs(
    warm="pdfingest_docling:load",
    fork_safe=True,
    readable=(os.environ.get(MODELS, ""),),
    variables=(MODELS,),
    address_bytes=1 << 30,  # for the threads of its stages
)


class DoclingDocument:
    """An open document, by the protocol `pdfingest.Document`."""

    def __init__(self, path: str, document: Any) -> None:
        self._path, self._document, self.page_count = path, document, document.number_of_pages()

    def info(self) -> DocumentInfo:
        """Nothing beyond the text."""
        return DocumentInfo()

    def page(self, number: int) -> Page:
        """Convert one page (1-based), so that what breaks it costs no other."""
        from docling.exceptions import ConversionError

        try:
            made = load().convert(self._path, page_range=(number, number)).document
        except ConversionError as error:
            raise MalformedError(str(error).partition("Errors: ")[2]) from error
        if text := made.export_to_markdown(image_placeholder=""):
            return Page(text)
        drawn = self._document.get_page(number)
        return Page("", ink=bool(drawn.bitmap_resources or drawn.shapes))

    def close(self) -> None:
        """Nothing: the process ends."""


@cache
def load() -> Any:
    """Load the models from the folder, and nothing from the network."""
    from docling.datamodel.pipeline_options import PdfPipelineOptions
    from docling.document_converter import DocumentConverter, InputFormat, PdfFormatOption
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # else its progress bar leaves a thread, which a fork does not have
    pdf, models = InputFormat.PDF, Path(os.environ[MODELS])
    how = PdfPipelineOptions(artifacts_path=models, do_ocr=False)  # pdfingest has its own OCR
    how.do_table_structure = (models / "docling-project--docling-models").is_dir()
    how.accelerator_options.num_threads, how.accelerator_options.device = 1, "cpu"
    converter = DocumentConverter([pdf], {pdf: PdfFormatOption(pipeline_options=how)})
    converter.initialize_pipeline(pdf)
    return converter


def open_document(path: str, passwords: Sequence[str]) -> DoclingDocument:
    """Open a file: the function that the entry point names."""
    from docling.datamodel.backend_options import PdfBackendOptions
    from docling_parse.pdf_parser import ContentConfig, DoclingPdfParser

    config, parser = ContentConfig(include_bitmap_bytes=False), DoclingPdfParser("fatal")
    (option,) = load().format_to_options.values()
    for password in (None, *passwords):
        option.backend_options = PdfBackendOptions(password=password)
        try:
            document = parser.load(path, password=password, content_config=config)
            return DoclingDocument(path, document)
        except RuntimeError as error:  # which does not say why
            if b"/Encrypt" not in Path(path).read_bytes():
                raise MalformedError(str(error)) from error
    raise EncryptedError
