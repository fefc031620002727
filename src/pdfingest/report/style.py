"""The style sheet that all pages share, for light and dark screens."""

STYLE = (
    ":root{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;color-scheme:light dark}"
    "body{margin:0 auto;max-width:1400px;padding:12px;overflow-wrap:anywhere}"
    "h1{font-size:1.4rem}p{margin:.3em 0}"
    "@media(prefers-color-scheme:dark){:root{color:#ddd;background:#181818}}"
)
