"""The texts around the tabs, and those that several tabs need: key -> (English, Simplified Chinese)."""

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("mmgan", "mmgan"),
    "tagline": (
        "One sentence. A picture and a sound that belong together.",
        "一句话，一张图，一段声音，彼此呼应。",
    ),
    "theme": ("Light or dark", "浅色或深色"),
    "other_language": ("中文", "English"),
    "other_language_hint": ("Show this page in Chinese", "用英文显示本页"),
    "tab_sample": ("Sample", "生成"),
    "tab_train": ("Train", "训练"),
    "tab_collect": ("Your data", "我的数据"),
    "noscript": ("This page needs JavaScript.", "本页需要启用 JavaScript。"),
    "cpu": ("the CPU", "CPU"),
    "internal": (
        "Something went wrong inside mmgan; try again, or look for the details in the terminal where it runs.",
        "mmgan 内部出错了；请再试一次，或到运行它的终端里查看详情。",
    ),
    "busy": (
        "Many people are asking at this moment; wait a few seconds and try again.",
        "此刻请求的人很多；请等几秒再试。",
    ),
}
