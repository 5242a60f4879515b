"""The look: gradio's plainest theme with our colours, fonts that every machine has, and our style sheet."""

from __future__ import annotations

import gradio as gr

FONT = (
    "ui-sans-serif",
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Noto Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """One accent (teal) on warm greys; no font is fetched from anywhere."""
    return gr.themes.Base(
        primary_hue="teal", secondary_hue="teal", neutral_hue="stone", radius_size="lg", text_size="md",
        font=FONT, font_mono=MONO,
    ).set(
        body_background_fill="#faf9f7", body_background_fill_dark="#141312",
        background_fill_primary="#ffffff", background_fill_primary_dark="#1d1b1a",
        background_fill_secondary="#faf9f7", background_fill_secondary_dark="#141312",
        block_background_fill="transparent", block_background_fill_dark="transparent",
        block_border_width="0px", block_border_width_dark="0px", block_shadow="none", block_padding="0px",
        block_label_text_color="*neutral_600", block_label_text_color_dark="*neutral_400",
        block_title_text_color="*neutral_600", block_title_text_color_dark="*neutral_400",
        block_title_text_weight="500", block_title_text_size="*text_sm",
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_400",
        panel_background_fill="transparent", panel_background_fill_dark="transparent", panel_border_width="0px",
        input_background_fill="#ffffff", input_background_fill_dark="#141312",
        input_border_color="*neutral_400", input_border_color_dark="*neutral_600",
        input_border_width="1px", input_shadow="none", input_shadow_focus="none", input_shadow_focus_dark="none",
        input_border_color_focus="*primary_700", input_border_color_focus_dark="*primary_400",
        border_color_primary="*neutral_200", border_color_primary_dark="*neutral_800",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_400", button_primary_background_fill_hover_dark="*primary_300",
        button_primary_text_color="#ffffff", button_primary_text_color_dark="#04211f",
        button_secondary_background_fill="*neutral_100", button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_text_color="*neutral_800", button_secondary_text_color_dark="*neutral_200",
        button_large_radius="12px", button_small_radius="999px",
        button_large_text_weight="600", button_small_text_weight="400",
        slider_color="*primary_700", slider_color_dark="*primary_400",
        color_accent="*primary_700", color_accent_soft="*primary_50", color_accent_soft_dark="*neutral_800",
        form_gap_width="0px", border_color_accent_dark="*primary_400",
        checkbox_background_color_selected="*primary_700", checkbox_background_color_selected_dark="*primary_600",
        checkbox_label_background_fill="transparent", checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="*primary_50", checkbox_label_background_fill_selected_dark="#12302d",
        checkbox_label_background_fill_hover="*neutral_100", checkbox_label_background_fill_hover_dark="*neutral_800",
        checkbox_label_border_width="1px", checkbox_label_border_color="*neutral_300",
        checkbox_label_border_color_dark="*neutral_700",
        checkbox_label_padding="8px 14px", checkbox_label_gap="8px", checkbox_label_shadow="none",
    )  # fmt: skip
