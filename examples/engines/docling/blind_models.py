"""Makes a folder of models for Docling that find nothing on a page: a stand-in for the real ones.

python examples/engines/docling/blind_models.py FOLDER

The real ones are fetched from a hub. This has their architecture, random weights, a tenth of a
percent of their size, and scores that are nearly 0. All else of Docling then works as it does with
them: it takes each line for a paragraph.
"""

import sys
from pathlib import Path

LABELS = ("caption", "list_item", "picture", "section_header", "table", "text", "title")


def make(folder: Path) -> Path:
    """Make the folder, and return it."""
    import torch
    from transformers import (
        RTDetrImageProcessor,
        RTDetrResNetConfig,
        RTDetrV2Config,
        RTDetrV2ForObjectDetection,
    )

    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        backbone=None,
        use_timm_backbone=False,
        encoder_in_channels=[16, 16, 32],
        encoder_hidden_dim=32,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        d_model=32,
        num_queries=10,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=32,
        decoder_layers=2,
        decoder_attention_heads=2,
        id2label=dict(enumerate(LABELS)),
    )
    model = RTDetrV2ForObjectDetection(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "class_embed" in name or "enc_score_head" in name:
                weights.fill_(-20.0 if name.endswith("bias") else 0.0)
    layout = folder / "docling-project--docling-layout-heron"
    layout.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(layout)
    RTDetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(layout)
    return folder


if __name__ == "__main__":
    make(Path(sys.argv[1]))
