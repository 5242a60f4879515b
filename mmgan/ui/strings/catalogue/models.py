"""Of models, checkpoints, prompts and sampling: English -> Simplified Chinese (see the package)."""

TEXTS: dict[str, str] = {
    # what a sample may cost
    "{model} makes {seconds} s of sound a sample, and up to {limit} s are made here; take a model with shorter "
    "sounds.": ("{model} 的每个样本有 {seconds} 秒声音，而这里最多生成 {limit} 秒；请换一个声音较短的模型。"),
    "{model} asks for more computing than is given to a sample here; take a smaller model.": (
        "{model} 生成一个样本所需的计算超过了这里的上限；请换一个较小的模型。"
    ),
    # models on disk
    "{path} holds other files and no model; choose an empty or a new folder to save into.": (
        "{path} 里是别的文件，没有模型；请选择空文件夹或新文件夹来保存。"
    ),
    "{path} is a file; name the folder that holds the model's config.json and safetensors.": (
        "{path} 是一个文件；请给出含有模型 config.json 和 safetensors 的文件夹。"
    ),
    "There is no model {name}; name one of {known}, a folder, or a Hugging Face Hub id such as owner/name.": (
        "没有模型 {name}；请给出 {known} 之一、一个文件夹，或 owner/name 这样的 Hugging Face Hub 名称。"
    ),
    "There is no model {name}; name a folder, or a Hugging Face Hub id such as owner/name.": (
        "没有模型 {name}；请给出一个文件夹，或 owner/name 这样的 Hugging Face Hub 名称。"
    ),
    "This installation of mmgan is incomplete ({missing} is missing); install it again with "
    "`pip install --force-reinstall --no-deps` and a wheel, the git URL or a fresh copy of the repository.": (
        "这个 mmgan 没有装完整（缺少 {missing}）；请用 `pip install --force-reinstall --no-deps` 从 wheel、git 地址或"
        "完整的仓库副本重新安装。"
    ),
    "{path} is no model of mmgan's; name a folder that mmgan saved.": (
        "{path} 不是 mmgan 的模型；请给出 mmgan 保存的文件夹。"
    ),
    "{path} was saved in version {version} of the format and this mmgan reads {known}; update mmgan or take a model "
    "made for it.": ("{path} 的格式版本是 {version}，而这个 mmgan 只能读 {known}；请更新 mmgan，或换一个适用的模型。"),
    "{path} has a number outside all limits; take the folder from a fresh copy of the model.": (
        "{path} 里有超出范围的数；请重新取一份完整的模型文件夹。"
    ),
    "{path} has no training state to resume from; fine-tune the model instead.": (
        "{path} 没有可以继续的训练状态；请改为微调这个模型。"
    ),
    "The training state in {path} is from another version; fine-tune the model instead.": (
        "{path} 里的训练状态来自另一个版本；请改为微调这个模型。"
    ),
    "{path} is damaged; take the folder from a fresh copy of the model.": (
        "{path} 已损坏；请重新取一份完整的模型文件夹。"
    ),
    "{path} is larger than 1 MiB, so it is none of mmgan's; take the folder from a fresh copy of the model.": (
        "{path} 超过 1 MiB，不是 mmgan 的文件；请重新取一份完整的模型文件夹。"
    ),
    "{path} has no {name}, so it is no model; name a folder that mmgan saved.": (
        "{path} 里没有 {name}，不是模型；请给出 mmgan 保存的文件夹。"
    ),
    "{path} cannot be read; take the folder from a fresh copy of the model.": (
        "{path} 无法读取；请重新取一份完整的模型文件夹。"
    ),
    "{path} should hold one JSON object; take the folder from a fresh copy of the model.": (
        "{path} 里应是一个 JSON 对象；请重新取一份完整的模型文件夹。"
    ),
    "The sizes in {path} do not fit together; take the folder from a fresh copy of the model.": (
        "{path} 里的各项大小互相不符；请重新取一份完整的模型文件夹。"
    ),
    "{tensor} in {path} is of type {type}; take the folder from a fresh copy of the model.": (
        "{path} 里的 {tensor} 是 {type} 类型；请重新取一份完整的模型文件夹。"
    ),
    "{tensor} in {path} is not finite, so its training broke down; take an earlier checkpoint.": (
        "{path} 里的 {tensor} 不是有限数，说明训练已经崩溃；请使用更早的检查点。"
    ),
    "{path} lacks {tensor}, so it belongs to another config.json or version; take the folder from a fresh copy of the "
    "model.": "{path} 缺少 {tensor}，属于另一个 config.json 或版本；请重新取一份完整的模型文件夹。",
    "{path} has in addition {tensor}, so it belongs to another config.json or version; take the folder from a fresh "
    "copy of the model.": ("{path} 多出了 {tensor}，属于另一个 config.json 或版本；请重新取一份完整的模型文件夹。"),
    "{tensor} in {path} is {shape} where config.json asks for {wanted}; take the folder from a fresh copy of the "
    "model.": ("{path} 里的 {tensor} 是 {shape}，而 config.json 要求 {wanted}；请重新取一份完整的模型文件夹。"),
    "{path} has no {name}; take the folder from a fresh copy of the model.": (
        "{path} 里没有 {name}；请重新取一份完整的模型文件夹。"
    ),
    "{path} is damaged or cut short; take the folder from a fresh copy of the model.": (
        "{path} 已损坏或不完整；请重新取一份完整的模型文件夹。"
    ),
    "{name} is no folder here and could not be had from the Hugging Face Hub; check the name and the connection, or "
    "name a folder.": ("本机没有文件夹 {name}，也无法从 Hugging Face Hub 取得；请检查名称和网络，或给出一个文件夹。"),
    "The optimiser's state {name} does not fit this model; start a new run from the checkpoint.": (
        "优化器的状态 {name} 与这个模型不符；请从检查点开始新的训练。"
    ),
    # settings from a file or a person
    "the settings": "设置",
    "the options": "选项",
    "the run's config.json": "训练的 config.json",
    "{name} in {where}": "{where}里的 {name} ",
    "{where} should hold an object of settings; take the file from a fresh copy of the model.": (
        "{where}应是一组设置；请从完整的模型里重新取这个文件。"
    ),
    "{where} has the setting {name}, which this mmgan does not know; update mmgan or take a model made for it.": (
        "{where}里有这个 mmgan 不认识的 {name}；请更新 mmgan，或换一个适用的模型。"
    ),
    "{where} should be a short list of numbers; take the file from a fresh copy of the model.": (
        "{where}应是几个数的列表；请从完整的模型里重新取这个文件。"
    ),
    "{where} should be of type {type}; take the file from a fresh copy of the model.": (
        "{where}应是 {type} 类型；请从完整的模型里重新取这个文件。"
    ),
    "{where} is {value}, outside {low} to {high}; take the file from a fresh copy of the model.": (
        "{where}是 {value}，超出了 {low} 到 {high} 的范围；请从完整的模型里重新取这个文件。"
    ),
    "{where} is {value}; it should be one of {known}.": "{where}是 {value}；应是 {known} 之一。",
    "There is too little memory for this; close other programs, or ask for less at a time.": (
        "内存不足；请关闭其他程序，或一次少要一些。"
    ),
    # model zips
    "{name} holds pictures and sounds to learn from, not a model; learn from them with mmgan finetune.": (
        "{name} 里是用来学习的图片和声音，不是模型；请用 mmgan finetune 学习它们。"
    ),
    "{name} already holds files; choose another name for the model.": "{name} 里已有文件；请给模型换一个名称。",
    "{name} cannot be used: {reason}": "{name} 无法使用：{reason}",
    "{name} holds {member}, which no model of mmgan's does; ask for the zip again, made by mmgan's export.": (
        "{name} 里有 {member}，mmgan 的模型不会有；请重新索取用 mmgan 导出的 zip。"
    ),
    "{name} holds files in several folders, which no model of mmgan's does; ask for the zip again, made by mmgan's "
    "export.": "{name} 的文件分在几个文件夹里，mmgan 的模型不会这样；请重新索取用 mmgan 导出的 zip。",
    "{name} has no {member}, so it is no model of mmgan's; ask for the zip again, made by mmgan's export.": (
        "{name} 里没有 {member}，不是 mmgan 的模型；请重新索取用 mmgan 导出的 zip。"
    ),
    "{member} in {name} is too large; ask for the zip again, made by mmgan's export.": (
        "{name} 里的 {member} 太大；请重新索取用 mmgan 导出的 zip。"
    ),
    "{member} in {name} is none of mmgan's; ask for the zip again, made by mmgan's export.": (
        "{name} 里的 {member} 不是 mmgan 的文件；请重新索取用 mmgan 导出的 zip。"
    ),
    "{member} in {name} is damaged or no safetensors file; ask for the zip again, made by mmgan's export.": (
        "{name} 里的 {member} 已损坏，或不是 safetensors 文件；请重新索取用 mmgan 导出的 zip。"
    ),
    # judges
    "There is no judge in {path}; make it with `python scripts/train_judges.py`.": (
        "{path} 里没有评判器；请用 `python scripts/train_judges.py` 训练一个。"
    ),
    "The judge in {path} is damaged; take it from a fresh copy of mmgan.": (
        "{path} 里的评判器已损坏；请从完整的 mmgan 里重新取一份。"
    ),
    "The judge in {path} has sizes that do not fit together; take a fresh copy of it.": (
        "{path} 里的评判器各项大小互相不符；请重新取一份。"
    ),
    "The judge in {path} does not match its config.json; take a fresh copy of it.": (
        "{path} 里的评判器与它的 config.json 不符；请重新取一份。"
    ),
    # prompts and the text encoder
    'Type a sentence that says what to make, such as "a handwritten seven".': (
        "请输入一句话说明要生成什么，例如“手写的七”。"
    ),
    "A prompt should be a sentence (a string), not {type}.": "提示词应是一句话（字符串），而不是 {type}。",
    "The prompt has {count} characters; shorten it to at most {limit}.": (
        "提示词有 {count} 个字符；请缩短到 {limit} 个以内。"
    ),
    "There is no text encoder at {path}; take the folder from a fresh copy of mmgan.": (
        "{path} 里没有文本编码器；请从完整的 mmgan 里重新取这个文件夹。"
    ),
    "The text encoder {name} is not on this computer and cannot be downloaded; check its name and the internet "
    "connection, or name a folder.": ("本机没有文本编码器 {name}，也无法下载；请检查名称和网络，或给出一个文件夹。"),
    "The text encoder {name} cannot be loaded; take the folder from a fresh copy.": (
        "文本编码器 {name} 无法加载；请重新取一份完整的文件夹。"
    ),
    "The text encoder {name} lacks some of its weights; take the folder from a fresh copy.": (
        "文本编码器 {name} 缺少一部分权重；请重新取一份完整的文件夹。"
    ),
    "The text encoder {name} gives {count} numbers where {wanted} are needed; choose one in the space of "
    "all-MiniLM-L6-v2.": (
        "文本编码器 {name} 给出 {count} 个数，而需要 {wanted} 个；请选择与 all-MiniLM-L6-v2 同一空间的编码器。"
    ),
    # sampling
    "The list of prompts is empty; give at least one prompt.": "提示词列表是空的；请至少给一句提示词。",
    "There are {count} prompts; give at most {limit} at a time.": "有 {count} 句提示词；一次最多 {limit} 句。",
    "There are {count} prompts and {embeddings} embeddings; give one embedding a prompt.": (
        "有 {count} 句提示词和 {embeddings} 个文本嵌入；请给每句提示词一个嵌入。"
    ),
    "{count} prompts of {samples} samples each are {all} in all; ask for at most {limit}.": (
        "{count} 句提示词、每句 {samples} 个样本，总共 {all} 个；最多请生成 {limit} 个。"
    ),
    "There are {count} latents for {results} results; give {one} or {all} rows.": (
        "有 {count} 组潜变量，而结果有 {results} 个；请给 {one} 行或 {all} 行。"
    ),
    "The device {device} failed ({error}); free its memory, or use device='cpu'.": (
        "设备 {device} 出错（{error}）；请释放它的内存，或使用 device='cpu'。"
    ),
    "The graphics card failed ({error}), so samples are made on the processor, more slowly.": (
        "显卡出错（{error}），因此改用 CPU 生成样本，会慢一些。"
    ),
    "There is no device {device}; use 'auto', 'cpu' or 'cuda'.": "没有设备 {device}；请使用 'auto'、'cpu' 或 'cuda'。",
    "CUDA cannot be used on this machine; use device='auto' or 'cpu'.": (
        "本机不能使用 CUDA；请使用 device='auto' 或 'cpu'。"
    ),
    "{name} should be a whole number from {low} to {high}, not {value}.": (
        "{name} 应是 {low} 到 {high} 的整数，而不是 {value}。"
    ),
    "Truncation should be a number from 0 to 1, not {value}.": "截断应是 0 到 1 的数，而不是 {value}。",
    "The {name} should be an array of numbers of shape [n, {width}].": "{name} 应是形状为 [n, {width}] 的数组。",
    "The {name} have the shape {shape}; give [n, {width}] with n from 1 to {limit}.": (
        "{name} 的形状是 {shape}；应是 [n, {width}]，n 为 1 到 {limit}。"
    ),
    "The {name} hold numbers that are not finite; give finite ones.": "{name} 里有不是有限数的值；请给有限的数。",
    # vocoders
    "{folder} holds other files and no vocoder; choose an empty or a new folder.": (
        "{folder} 里是别的文件，没有声码器；请选择空文件夹或新文件夹。"
    ),
    "{folder} is no vocoder of mmgan's; name a folder that mmgan saved one in.": (
        "{folder} 不是 mmgan 的声码器；请给出 mmgan 保存声码器的文件夹。"
    ),
    "{folder} was saved in version {version} of the format and this mmgan reads {ours}; update mmgan or take a vocoder "
    "made for it.": "{folder} 的格式版本是 {version}，而这个 mmgan 读取 {ours}；请更新 mmgan，或换用适合它的声码器。",
    "{where} has a number outside all limits; take a fresh copy of it.": "{where} 里有超出所有限度的数；请重新取一份。",
    # the Hugging Face Hub
    "Name the model on the Hub as owner/name, such as ada/my-bells.": (
        "请用 owner/name 的形式给出 Hub 上的模型名称，例如 ada/my-bells。"
    ),
    "The Hub does not let this token write to {name}; make one with the right to write at huggingface.co/settings/"
    "tokens.": "这个令牌无权写入 {name}；请在 huggingface.co/settings/tokens 建立一个有写入权限的令牌。",
    "The Hub refused {name} ({error}); check the name.": "Hub 拒绝了 {name}（{error}）；请检查名称。",
    "The Hub cannot be reached; check the connection and try again.": "连不上 Hub；请检查网络后再试。",
}
