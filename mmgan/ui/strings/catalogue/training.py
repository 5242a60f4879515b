"""Of trainings and fine-tunings: English -> Simplified Chinese (see the package)."""

from ..collect import TEXTS as COLLECT

TEXTS: dict[str, str] = {
    "Training is in 32-bit floats; call torch.set_default_dtype(torch.float32) before it.": (
        "训练使用 32 位浮点数；请先调用 torch.set_default_dtype(torch.float32)。"
    ),
    "Give at most {count} settings, each of at most {limit} characters.": (
        "最多给出 {count} 项设置，每项不超过 {limit} 个字符。"
    ),
    # starting and directing runs
    "There is no run named {name}; it may have been deleted.": "没有名为 {name} 的训练；可能已被删除。",
    "There is a run named {name} already; choose another name.": "已经有名为 {name} 的训练；请换一个名称。",
    "Name the run with letters, digits, spaces, - and _, beginning with a letter or digit, up to {limit}; "
    "con, nul and the like are Windows' own.": (
        "训练名称请用文字、数字、空格、- 和 _，以文字或数字开头，最多 {limit} 个字符；con、nul 等由 Windows 保留。"
    ),
    "Say what to learn from: shapes, digits, or a folder.": "请说明要学习的数据：shapes、digits 或一个文件夹。",
    "There is no folder or zip {path} on the machine where mmgan runs; check the path.": (
        "运行 mmgan 的电脑上没有文件夹或 zip：{path}；请检查路径。"
    ),
    "The run's {file} is damaged; delete the run.": "训练的 {file} 已损坏；请删除这个训练。",
    "The run's status.json is missing; delete the run.": "训练缺少 status.json；请删除这个训练。",
    "{name} is being trained already.": "{name} 已经在训练。",
    "{name} is being trained; stop it first, then delete it.": "{name} 正在训练；请先停止再删除。",
    "{name} is being started; stop it first.": "{name} 正在启动；请先停止它。",
    "{name} is not being trained.": "{name} 没有在训练。",
    "{name} cannot be resumed, because it never began; start it again.": "{name} 从未开始，无法继续；请重新开始。",
    "Already being trained: {names}; stop or pause a run first.": "{names} 正在训练；请先停止或暂停一个。",
    "There is no preset {name}; choose one of {known}.": "没有预设 {name}；请选择 {known} 之一。",
    "--set {setting} should read NAME=VALUE, such as --set gamma=5.": (
        "--set {setting} 应写成“名称=值”，例如 --set gamma=5。"
    ),
    "{reason}; put it within its limits.": "{reason}；请改到允许的范围内。",
    "A batch of {size} cannot be cut into {slices} equal slices of whole fours; choose a batch size that {divisor} "
    "divides.": "批量大小 {size} 不能平均分成 {slices} 份 4 的倍数；请选择 {divisor} 的倍数。",
    "{path} already holds a run; resume it, or choose another folder.": (
        "{path} 里已有训练；请继续它，或选择另一个文件夹。"
    ),
    "{path} is not empty and no training run; choose an empty or a new folder.": (
        "{path} 不是空的，也不是训练；请选择空文件夹或新文件夹。"
    ),
    "{path} is no training run; name a folder that mmgan train wrote.": (
        "{path} 不是训练；请给出 mmgan train 写出的文件夹。"
    ),
    "{path} has no checkpoint to resume from; start the training anew.": (
        "{path} 没有可以继续的检查点；请重新开始训练。"
    ),
    "Another process is training in {path}; stop it first, or choose another folder.": (
        "另一个进程正在 {path} 里训练；请先停止它，或选择另一个文件夹。"
    ),
    "{name} is there already; choose another name.": "{name} 已经存在；请换一个名称。",
    "{path} lacks the copy of its base, so it cannot be resumed; start a new run.": (
        "{path} 缺少基础模型的副本，无法继续；请开始新的训练。"
    ),
    "{path} has no discriminators, without which training cannot go on; take another model.": (
        "{path} 没有判别器，无法继续训练；请换一个模型。"
    ),
    "{name} makes colour pictures and the data are grey; take other data, or start from another model.": (
        "{name} 生成彩色图片，而数据是灰度的；请换数据，或从其他模型开始。"
    ),
    "{name} makes grey pictures and the data are in colour; take other data, or start from another model.": (
        "{name} 生成灰度图片，而数据是彩色的；请换数据，或从其他模型开始。"
    ),
    "{path} has other sizes than the settings or the data ask for; take another model.": (
        "{path} 的大小与设置或数据的要求不同；请换一个模型。"
    ),
    "The checkpoint in {path} does not fit the run's config.json; start a new run.": (
        "{path} 里的检查点与训练的 config.json 不符；请开始新的训练。"
    ),
    "The checkpoint in {path} lacks what resuming needs; start a new run.": (
        "{path} 里的检查点缺少继续训练所需的内容；请开始新的训练。"
    ),
    # how runs end
    "Saved at step {step}.": "已保存在第 {step} 步。",
    "Imported from a zip.": "从 zip 导入。",
    "Stopped before it trained, so nothing was lost.": "训练开始之前就停止了，没有丢失任何内容。",
    "The run never started; start it again.": "训练没有启动；请重新开始。",
    "The process ended without saying why; resume it from the beginning.": "进程结束了，原因不明；请从头继续。",
    "The process ended without saying why; resume it from step {step}.": (
        "进程结束了，原因不明；请从第 {step} 步继续。"
    ),
    "The training process ended before it could say why; the log has its last words.": (
        "训练进程还没来得及说明原因就结束了；日志里有最后的记录。"
    ),
    "The training could not start ({error}); the log has the details.": "训练无法开始（{error}）；详情请看日志。",
    "Training failed at step {step} ({error}); the log has the details.": (
        "训练在第 {step} 步失败（{error}）；详情请看日志。"
    ),
    "A loss became infinite or not a number at step {step}; the last good checkpoint is kept: resume with a lower "
    "learning rate or a larger gamma.": (
        "第 {step} 步的损失变成了无穷大或不是数；最后一个完好的检查点已保留：请用更低的学习率或更大的 gamma 继续。"
    ),
    "The memory was too small even for the smallest batch; try a smaller preset.": (
        "最小的批量大小也超出了内存；请改用更小的预设。"
    ),
    "The memory was too small; try a batch size of {size}.": "内存不够；请把批量大小改为 {size} 再试。",
    "It began to copy your files, so learning stopped; kept is what it was at step {step}.": (
        "它开始照抄你的文件，因此停止学习；保留的是第 {step} 步的模型。"
    ),
    "It began to copy your files, so learning stopped.": "它开始照抄你的文件，因此停止学习。",
    "Files that it never saw, and its captions, were matched best at step {step} and no better since, so learning "
    "stopped; kept is what it was then.": (
        "在第 {step} 步时它与没见过的文件和说明最相符，之后没有更好，因此停止学习；保留的是当时的模型。"
    ),
    "Kept is what it was at step {step}, when it matched files that it never saw best.": (
        "保留的是第 {step} 步的模型，那时它与没见过的文件最相符。"
    ),
    # what a fine-tuning notes of its base and data
    "pictures": "图片",
    "sounds": "声音",
    "The base comes without its critics, so new ones learn first; give it more minutes.": (
        "基础模型没有附带判别器，要先训练新的；请多给几分钟。"
    ),
    "There are no {what} in your data, so it learns {other} only; ignore its {again}.": (
        "你的数据里没有{what}，因此只学习{other}；请忽略它生成的{again}。"
    ),
    "The base is grey and your pictures are in colour, so its first and last layers learn colours anew.": (
        "基础模型是灰度的，而你的图片是彩色的，因此它的第一层和最后一层要重新学习颜色。"
    ),
    "Your pictures are grey, so the base's colours are left out.": "你的图片是灰度的，因此不用基础模型的颜色。",
    "The base makes pictures of {width} x {height} pixels, so yours are learned at that size.": (
        "基础模型生成 {width} × {height} 像素的图片，因此你的图片也按这个大小学习。"
    ),
    "Augmentation does not change {listed}, because your captions speak of it.": (
        "数据增强不会改变{listed}，因为你的说明里提到了。"
    ),
    "brightness and contrast": "亮度和对比度",
    "where things are": "物体的位置",
    "loudness": "响度",
    "pitch": "音高",
    "There are too few files to hold any out, so nothing can say when to stop; add some to reach 20.": (
        "文件太少，没有留出文件，因此无法判断何时该停止；请添加到 20 个。"
    ),
    "Only {count} file is held out, so what is said of copying and of when to stop is rough.": (
        "只留出了 {count} 个文件，因此对照抄和何时停止的判断比较粗略。"
    ),
    "Only {count} files are held out, so what is said of copying and of when to stop is rough.": (
        "只留出了 {count} 个文件，因此对照抄和何时停止的判断比较粗略。"
    ),
    "All your files have one caption, so the model will make the same kind of thing for any prompt.": (
        "你的文件都是同一个说明，因此无论提示词是什么，模型都会生成同一类东西。"
    ),
    "Left out: {count} (files or lines); the run's log says which and why.": (
        "未采用：{count} 项（文件或行）；训练日志里写明了是哪些、为什么。"
    ),
    "Mended: {count} (sounds with bad samples); the run's log says which and how.": (
        "已修复：{count} 个（采样有问题的声音）；训练日志里写明了是哪些、怎样修复的。"
    ),
    # what the held-out files say; of copying the texts are the Collect tab's, whose script knows them again too
    **{english: chinese for key, (english, chinese) in COLLECT.items() if key.startswith("collect_gauge_")},
    "Pictures: {said}": "图片：{said}",
    "Sounds: {said}": "声音：{said}",
    "Distance of its pictures from files that it never saw: {now} (the base's {before}, other files of this kind about "
    "0).": "它的图片与没见过的文件的距离：{now}（基础模型 {before}，同类的其他文件约为 0）。",
    "Distance of its sounds from files that it never saw: {now} (the base's {before}, other files of this kind about "
    "0).": "它的声音与没见过的文件的距离：{now}（基础模型 {before}，同类的其他文件约为 0）。",
    "{share} of its pictures are recognised by their caption.": "{share} 的图片能凭说明认出来。",
    "{share} of its sounds are recognised by their caption.": "{share} 的声音能凭说明认出来。",
    "{share} of its pictures are recognised by their caption (of your own files {own}).": (
        "{share} 的图片能凭说明认出来（你自己的文件是 {own}）。"
    ),
    "{share} of its sounds are recognised by their caption (of your own files {own}).": (
        "{share} 的声音能凭说明认出来（你自己的文件是 {own}）。"
    ),
    "Its pictures vary {share} as much as your files do.": "它的图片的多样性是你的文件的 {share}。",
    "Its sounds vary {share} as much as your files do.": "它的声音的多样性是你的文件的 {share}。",
    "Under one caption its pictures vary {share} as much as your files do.": "同一说明下，图片多样性是文件的 {share}。",
    "Under one caption its sounds vary {share} as much as your files do.": "同一说明下，声音多样性是文件的 {share}。",
}
