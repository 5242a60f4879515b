"""What is said of copying reaches the page as a code and a sentence in the reader's language."""

import puppet
import pytest
from test_train_tab import open_tab

from mmgan.language import Message


@pytest.mark.parametrize(
    "locale, said", [("en-GB", "It is copying your files: 45%"), ("zh-CN", "它在照抄你的文件：45%")]
)
def test_copying_stands_out_in_any_language(open_page, address, folder, locale, said):
    gauges = {
        "image": Message("memorisation.copying", share=0.45), "audio": Message("memorisation.own", share=0.0),
    }  # fmt: skip
    tuned = {"base": "digits", "data": "bells", "captions": ["a bell"], "gauges": gauges, "notes": ["An old note."]}
    puppet.finished(folder / "runs" / f"bells {locale}", more={"finetune": tuned})
    page = open_page(address, locale=locale)
    open_tab(page)
    page.locator(".mt-run", has_text=f"bells {locale}").click()
    page.locator(".mt-gauges dd").nth(1).wait_for()
    assert page.locator("dd.mt-copies").all_inner_texts()[0].startswith(said)
    assert page.locator("dd.mt-copies").count() == 1 and page.get_by_text("An old note.").count() == 1
