"""The texts of whose runs are and of what is damaged: key -> (English, Simplified Chinese), for the Train and the Your
data tab."""

TRAIN: dict[str, tuple[str, str]] = {
    "train_private_run": ("a private run", "一个私有训练"),
    "train_private_note": ("Only you see this run.", "只有你能看到这个训练。"),
    "train_private_hidden": (
        "Somebody is training on files of their own, so nothing of it is shown here. You can stop it if the computer "
        "is needed.",
        "有人正在用自己的文件训练，因此这里不显示任何内容。如果电脑另有用处，你可以停止它。",
    ),
    "train_private_only": (
        "This run is private; you can stop or delete it, and nothing else.",
        "这个训练是私有的；你只能停止或删除它。",
    ),
    "train_private_alive": (
        "This private run is being trained; stop it first, then delete it.",
        "这个私有训练正在进行；请先停止再删除。",
    ),
    "train_private_failed": (
        "This private run is not being trained, or cannot be deleted now; reload the page.",
        "这个私有训练没有在进行，或者现在不能删除；请刷新页面。",
    ),
    "train_closed_data": (
        "That place holds what visitors keep here, which is theirs alone; choose another folder, or fine-tune a model "
        "on your own project in the Your data tab.",
        "那里存放的是访客自己的文件，只属于他们；请选择其他文件夹，或在“我的数据”标签页用自己的项目微调模型。",
    ),
    "train_state_damaged": ("damaged", "已损坏"),
}

COLLECT: dict[str, tuple[str, str]] = {
    "collect_tune_everybody": ("Everybody here may see this run", "让这里的所有人都能看到这个训练"),
    "collect_tune_everybody_note": (
        "Without this only you see it, in this browser; with it everybody sees its name, your captions, some of your "
        "pictures and sounds and the names of files that were left out, and can use its model.",
        "不勾选时，只有你在这个浏览器里能看到；勾选后，所有人都能看到它的名称、你的说明、你的部分图片和声音、"
        "未采用的文件名，并能使用它的模型。",
    ),
    "collect_tune_no_cookie": (
        "Without a cookie nobody could find this run again; allow cookies for this page, or let everybody see the run.",
        "没有 Cookie 就没有人能再找到这个训练；请允许本页使用 Cookie，或让所有人都能看到这个训练。",
    ),
    "collect_damaged": ("Damaged", "已损坏"),
    "collect_damaged_note": (
        "A project in the folder {key} cannot be read, so nobody sees it: {reason}",
        "文件夹 {key} 里的项目无法读取，因此谁都看不到它：{reason}",
    ),
}
