"""Every text of the page, in one place, so that another language is another table."""

from __future__ import annotations

EN = {
    # the frame
    "title": "mmgan",
    "tagline": "One sentence. A picture and a sound that belong together.",
    "theme": "Light or dark",
    "tab_sample": "Sample",
    # what is asked for
    "prompt": "Prompt",
    "prompt_placeholder": "Type a sentence, such as “a handwritten seven”",
    "generate": "Generate",
    "examples": "Or try one of these",
    "model": "Model",
    "num_samples": "Samples",
    "seed": "Seed",
    "seed_dice": "New seed",
    "more": "More",
    "truncation": "Truncation",
    "truncation_info": "How far the samples may stray from the typical: 1 gives all the variety that the model has, "
    "lower values give plainer, steadier samples.",
    # what comes back
    "results": "Results",
    "play_all": "Play all",
    "play": "Play sample {index}",
    "picture": "picture of: {prompt}, sample {index}",
    "spectrogram": "spectrogram of: {prompt}, sample {index}",
    "spectrogram_hint": "Time runs to the right, pitch upwards. Click to play from there.",
    "save_png": "Save the picture of sample {index}",
    "save_wav": "Save the sound of sample {index}",
    "seconds": "{seconds:.1f} s",
    "ran": "{count} from {model} in {milliseconds:,.0f} ms on {device}, seed {seed}",
    "ran_truncation": ", truncation {truncation:g}",
    "one_sample": "1 sample",
    "many_samples": "{count} samples",
    "cpu": "the CPU",
    "empty": "Type a sentence and press Enter: its pictures and sounds appear here.",
    "noscript": "This page needs JavaScript to play sounds.",
    # what can go wrong
    "bad_count": "Ask for 1 to {limit} samples at once.",
    "bad_model": "There is no model {model}; choose one of {models}.",
    "internal": "Something went wrong inside mmgan; try again, or look for the details in the terminal where it runs.",
}


def say(key: str, **values) -> str:
    """The text of ``key`` with its ``{places}`` filled in; plain text, so escape it before it becomes HTML."""
    return EN[key].format(**values) if values else EN[key]
