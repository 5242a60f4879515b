"""Of files, uploads, projects and datasets: English -> Simplified Chinese (see the package)."""

TEXTS: dict[str, str] = {
    # one file: what is wrong with it stands beside its name
    "the picture cannot be read; save it again as PNG or JPEG.": "图片无法读取；请重新存为 PNG 或 JPEG。",
    "the picture has more than {count} million pixels; make it smaller.": "图片超过 {count} 百万像素；请改小一些。",
    "the picture takes too much memory to be looked at; save it as JPEG, or make it smaller than {count} million "
    "pixels.": ("查看这张图片需要太多内存；请存为 JPEG，或改到 {count} 百万像素以内。"),
    "the sound cannot be read; save it again as WAV, FLAC, OGG or MP3.": (
        "声音无法读取；请重新存为 WAV、FLAC、OGG 或 MP3。"
    ),
    "the sound has a rate of {rate} Hz; save it again with 16,000 to 48,000 Hz.": (
        "声音的采样率是 {rate} Hz；请用 16,000 到 48,000 Hz 重新保存。"
    ),
    "the sound is longer than {minutes} minutes; cut it into shorter clips.": (
        "声音超过 {minutes} 分钟；请剪成短一些的片段。"
    ),
    "the file does not say how long its sound is; open it in a sound editor and save it again.": (
        "文件没有说明声音有多长；请用音频编辑软件打开并重新保存。"
    ),
    "this kind of sound needs the package PyAV; save the sound as WAV or MP3, or whoever runs mmgan installs it with: "
    "pip install 'mmgan[media]'.": (
        "读取这种声音需要 PyAV 软件包；请把声音存为 WAV 或 MP3，或由运行 mmgan 的人安装：pip install 'mmgan[media]'。"
    ),
    "the film has no sound in it; choose another file.": "视频里没有声音；请选择另一个文件。",
    "the picture is a HEIC or AVIF, which mmgan does not read; save it as JPEG, or let the phone's camera take its "
    "most compatible format.": "图片是 HEIC 或 AVIF，mmgan 无法读取；请存为 JPEG，或把手机相机设为兼容性最佳的格式。",
    "there is no more room for it in the project; delete other files, then add it again.": (
        "项目里没有空间了；请删除其他文件后再添加。"
    ),
    "has samples that are infinite, no numbers or far too loud; they were replaced, so listen to it once.": (
        "有些采样是无穷大、不是数字或响得离谱，已经替换；请听一遍。"
    ),
    "has samples on another scale than -1 to 1; they were scaled, so listen to it once.": (
        "采样的数值不在 -1 到 1 的范围里，已经换算；请听一遍。"
    ),
    "lies beside the zero line (a constant offset); it was moved back, so listen to it once.": (
        "波形偏离了零线（有直流偏移），已经移回；请听一遍。"
    ),
    "the sound is silent; record it again.": "没有声音；请重新录制。",
    "the file is empty; add it again.": "文件是空的；请重新添加。",
    "the file is {what} inside, not what its name says; save it anew as PNG, JPEG, WAV or MP3.": (
        "文件内容其实是{what}，和文件名不符；请重新存为 PNG、JPEG、WAV 或 MP3。"
    ),
    "a zip or an office document": " zip 或 Office 文档",
    "a RAR archive": " RAR 压缩包",
    "a 7-Zip archive": " 7-Zip 压缩包",
    "a Windows program": " Windows 程序",
    "a program": "程序",
    "a PDF": " PDF",
    "a web page": "网页",
    "a script": "脚本",
    "an AMR sound": " AMR 声音",
    "a film or WebM sound": "视频或 WebM 声音",
    "a PNG picture": " PNG 图片",
    "a JPEG picture": " JPEG 图片",
    "a GIF picture": " GIF 图片",
    "a BMP picture": " BMP 图片",
    "a WAV sound": " WAV 声音",
    "a FLAC sound": " FLAC 声音",
    "an OGG sound": " OGG 声音",
    "an MP3 sound": " MP3 声音",
    "{name} is not an ordinary file; replace it by one.": "{name} 不是普通文件；请换成普通文件。",
    "{name} is larger than {size}; make it smaller.": "{name} 超过了 {size}；请改小一些。",
    "{name} cannot be opened ({error}); check that it may be read.": (
        "{name} 打不开（{error}）；请检查是否有读取权限。"
    ),
    # left out of an upload or a dataset
    "is left out: {reason}": "未采用：{reason}",
    "is larger than {size}, so it is left out; make it smaller.": "超过了 {size}，因此未采用；请改小一些。",
    "is a model, not pictures and sounds; import it instead.": "是模型，不是图片和声音；请改为导入。",
    "{name} is a model, not pictures and sounds to learn from; take it in with mmgan import, or start from it with "
    "--base.": "{name} 是模型，不是用来学习的图片和声音；请用 mmgan import 导入，或用 --base 从它开始。",
    "is a training run of mmgan's, so it is left out.": "是 mmgan 的一次训练，因此未采用。",
    "is a model of mmgan's, so it is left out.": "是 mmgan 的模型，因此未采用。",
    "is a project of its own, so it is left out; name that folder itself to learn from it.": (
        "是另一个项目，因此未采用；要用它学习，请直接给出那个文件夹。"
    ),
    "holds samples that mmgan made, so it is left out; name that folder itself to learn from them.": (
        "里面是 mmgan 生成的样本，因此未采用；要用它们学习，请直接给出那个文件夹。"
    ),
    "{name} is a training run and no dataset; name the folder of your own pictures and sounds.": (
        "{name} 是一次训练，不是数据集；请给出你自己的图片和声音所在的文件夹。"
    ),
    "{name} is a model and no dataset; name the folder of your own pictures and sounds.": (
        "{name} 是模型，不是数据集；请给出你自己的图片和声音所在的文件夹。"
    ),
    "the picture is a sheet of samples that mmgan drew; delete it.": "这张图片是 mmgan 画的样本总览；请删除它。",
    "is a link to somewhere else, so it is left out.": "是指向别处的链接，因此未采用。",
    "is a link to a folder, so it is left out; put the folder itself in its place.": (
        "是指向文件夹的链接，因此未采用；请放入文件夹本身。"
    ),
    "cannot be opened ({error}), so it is left out; check that it may be read.": (
        "打不开（{error}），因此未采用；请检查是否有读取权限。"
    ),
    "had a caption of {count} characters; its end was cut off.": "的说明有 {count} 个字符；末尾已被截去。",
    "is not named in {where}, so it is left out.": "没有写进 {where}，因此未采用。",
    "any metadata file": "任何 metadata 文件",
    "has no text, so it is left out; write a caption in the text column.": (
        "没有文字，因此未采用；请在 text 列里填写说明。"
    ),
    "names {name}, which is not in the dataset or of no known kind.": "提到的 {name} 不在数据集里，或类型无法识别。",
    "has neither picture nor sound, so it is left out.": "既没有图片也没有声音，因此未采用。",
    "is not a JSON object, so it is left out.": "不是 JSON 对象，因此未采用。",
    "has more cells than the first line has columns, so it is left out; put its caption in double quotes.": (
        "的单元格比第一行的列多，因此未采用；请给说明加上双引号。"
    ),
    "ends with empty cells, which were left off; put its caption in double quotes if it ends so.": (
        "末尾有空的单元格，已去掉；如果说明本来就这样结尾，请给它加上双引号。"
    ),
    "has backslashes before commas or quotes, which were taken off; put its caption in double quotes instead.": (
        "逗号或引号前的反斜杠已去掉；请改为给说明加上双引号。"
    ),
    "opens a double quote that nothing closes; its caption was read as {caption}.": (
        "有一个没有闭合的双引号；说明按 {caption} 读取。"
    ),
    "has a line or a cell of more than {count} characters, so it is left out; shorten it.": (
        "有一行或一个单元格超过 {count} 个字符，因此未采用；请缩短。"
    ),
    "has letters that cannot be read in its encoding, so it is left out; save it as UTF-8.": (
        "有用它的编码无法读取的文字，因此未采用；请存为 UTF-8。"
    ),
    "names {name}, which several files are called nearly so; write its whole name.": (
        "提到的 {name} 和好几个文件的名称都相近；请写出完整的名称。"
    ),
    "is not used, for another file gives the caption of what it is beside.": (
        "没有用上，因为它旁边的文件已由别处给出说明。"
    ),
    "is larger than {count} KiB, too much for a caption; shorten it.": "超过 {count} KiB，作为说明太长；请缩短。",
    "is empty; write the caption in it.": "是空的；请在里面写上说明。",
    "is a spreadsheet, so it is left out; save it as metadata.csv, in the format CSV UTF-8.": (
        "是电子表格，因此未采用；请存为 metadata.csv，格式选 CSV UTF-8。"
    ),
    "has no labels, so its pictures have no captions; write them in a metadata.csv.": (
        "没有标签，所以图片没有说明；请写在 metadata.csv 里。"
    ),
    "is not a file's name with its label, so it is left out.": "不是文件名和标签，因此未采用。",
    "has no label that stands for one class, so it is left out.": "没有代表单一类别的标签，因此未采用。",
    "has numbers for labels, so captions are “class 0” and so on; write what each one shows.": (
        "的标签是数字，因此说明是“class 0”等；请写明每一类是什么。"
    ),
    "is an archive within the dataset, so it is left out; unpack it first.": (
        "是数据集里的压缩包，因此未采用；请先解压。"
    ),
    "is of a kind of picture that mmgan does not read, so it is left out; save it as PNG or JPEG.": (
        "是 mmgan 不支持的图片类型，因此未采用；请存为 PNG 或 JPEG。"
    ),
    "is of a kind of sound or film that mmgan does not read, so it is left out; save its sound as WAV or MP3.": (
        "是 mmgan 不支持的声音或视频类型，因此未采用；请把声音存为 WAV 或 MP3。"
    ),
    "is neither picture nor sound, so it is left out.": "既不是图片也不是声音，因此未采用。",
    # zips and folders
    "{name} has more than {depth} folders within each other; flatten it.": (
        "{name} 的文件夹嵌套超过 {depth} 层；请减少层数。"
    ),
    "{name} cannot be opened as a zip; pack the folder again as a .zip.": (
        "{name} 无法作为 zip 打开；请把文件夹重新打包成 .zip。"
    ),
    "{name} holds a link or device ({member}); pack the files themselves.": (
        "{name} 里有链接或设备文件（{member}）；请打包文件本身。"
    ),
    "{name} has a password; pack it again without one.": "{name} 有密码；请重新打包，不要设密码。",
    "{name} unpacks to more than {size}; make it smaller.": "{name} 解压后超过 {size}；请改小一些。",
    "{name} unpacks to over {times} times its size; save it again and pack anew.": (
        "{name} 解压后是原来的 {times} 倍以上；请重新保存后再打包。"
    ),
    "{name} holds two files named {member}; rename one and pack it again.": (
        "{name} 里有两个文件都叫 {member}；请改掉其中一个的名称，再重新打包。"
    ),
    "{name} unpacks to over {size}; upload a smaller selection.": "{name} 解压后超过 {size}；请少选一些文件再上传。",
    "{name} unpacks to over {times} times its size; pack the original files anew.": (
        "{name} 解压后是原来的 {times} 倍以上；请用原始文件重新打包。"
    ),
    "{name} is packed in an unusual way; pack the zip again with the standard method (deflate).": (
        "{name} 的压缩方式不常见；请用标准方式（deflate）重新打包 zip。"
    ),
    "{name} is damaged in the zip; pack it again.": "{name} 在 zip 里已损坏；请重新打包。",
    "There is no dataset, folder or zip at {path}; check the name.": (
        "没有名为 {path} 的数据集、文件夹或 zip；请检查名称。"
    ),
    "The zip holds a file outside itself ({name}); pack the folder again with relative names.": (
        "zip 里有个文件指向 zip 之外（{name}）；请用相对路径重新打包文件夹。"
    ),
    "The zip has more than {depth} folders within each other; flatten it and pack again.": (
        "zip 里的文件夹嵌套超过 {depth} 层；请减少层数后再打包。"
    ),
    "{name} holds more than {count} files; choose fewer.": "{name} 里有超过 {count} 个文件；请少选一些。",
    "{name} is larger than {size}; upload a smaller selection.": "{name} 超过了 {size}；请少选一些文件再上传。",
    # projects
    "That would make {count} files and a project holds up to {limit}; add fewer.": (
        "这样就有 {count} 个文件，而一个项目最多 {limit} 个；请少添加一些。"
    ),
    "That would exceed the {size} that a project holds; add fewer files.": (
        "这样会超过一个项目的上限 {size}；请少添加一些文件。"
    ),
    "The disk has only {size} free; add fewer files, or make room first.": (
        "磁盘只剩 {size}；请少添加一些文件，或先腾出空间。"
    ),
    "Up to {files} files, {each} each and {all} in all; pictures (PNG, JPEG, WebP, GIF, BMP) up to {pixels} million "
    "pixels, sounds (WAV, FLAC, OGG, MP3, M4A and others) up to {minutes} minutes.": (
        "最多 {files} 个文件，每个 {each}，总共 {all}；图片（PNG、JPEG、WebP、GIF、BMP）最多 {pixels} 百万像素，"
        "声音（WAV、FLAC、OGG、MP3、M4A 等）最长 {minutes} 分钟。"
    ),
    "Write the text to look for in the captions.": "请填写要在说明里查找的文字。",
    "A caption has at most {limit} characters; look for less, and replace it by less.": (
        "说明最多 {limit} 个字符；请缩短要查找和替换的文字。"
    ),
    "The pattern has {count} characters; shorten it to at most {limit}.": (
        "匹配模式有 {count} 个字符；请缩短到 {limit} 个以内。"
    ),
    "Choose one picture and one sound to pair.": "请选择一张图片和一段声音来搭配。",
    "A long sound is cut to its 'loudest' second or into 'pieces'.": (
        "长声音只能取最响的一秒（loudest），或切成几段（pieces）。"
    ),
    "That file is no longer in the project; reload the page.": "项目里已经没有这个文件；请刷新页面。",
    "The project was deleted; choose another one.": "这个项目已被删除；请选择另一个。",
    "The project's files cannot be read; look at the folder's rights, or delete the project.": (
        "无法读取这个项目的文件；请检查文件夹的权限，或删除这个项目。"
    ),
    "The project is being changed elsewhere; try again in a moment.": "别处正在修改这个项目；请稍后再试。",
    "The project's table is damaged; restore project.json, or delete the project.": (
        "项目的表格已损坏；请恢复 project.json，或删除这个项目。"
    ),
    "{name} has no file that can be used yet; add some, or write their captions.": (
        "{name} 里还没有可以使用的文件；请添加文件，或填写说明。"
    ),
    "You already have {count} projects; delete one you no longer need.": (
        "你已经有 {count} 个项目；请删除一个不再需要的。"
    ),
    "There is no such project; choose one from the list, or begin a new one.": (
        "没有这个项目；请从列表中选择，或新建一个。"
    ),
    "{name} is not yours, so you cannot delete it.": "{name} 不是你的，因此你不能删除。",
    "Some files of the project cannot be deleted; close the programs that have them open.": (
        "这个项目的一些文件无法删除；请关闭正在使用它们的程序。"
    ),
    "The project was made by another version of mmgan; update mmgan.": (
        "这个项目是用另一个版本的 mmgan 建立的；请更新 mmgan。"
    ),
    "Give the project a name of up to {limit} characters.": "请给项目起一个名称，最多 {limit} 个字符。",
    "The caption has {count} characters; shorten it to at most {limit}.": (
        "说明有 {count} 个字符；请缩短到 {limit} 个以内。"
    ),
    "These captions are no longer kept as they came; write them in the table.": (
        "这些说明的原文件已不再保留；请直接在表格里填写。"
    ),
    # datasets
    "There is no encoding {name} to read captions in; choose one of {choices}.": (
        "没有可用来读取说明的编码 {name}；请从这些里选择：{choices}。"
    ),
    "{name} was read as {encoding}, such as “{caption}”; if that is wrong, say --encoding, such as cp949.": (
        "{name} 按 {encoding} 读取，例如“{caption}”；如果不对，请用 --encoding 说明，例如 cp949。"
    ),
    "{name} has more than {count} lines; split the dataset into smaller ones.": (
        "{name} 超过 {count} 行；请把数据集分成小一些的。"
    ),
    "{name} is larger than {size}; split the dataset into smaller ones.": (
        "{name} 超过了 {size}；请把数据集分成小一些的。"
    ),
    "The captions beside files are larger than {size}; shorten them.": "文件旁边的说明总共超过 {size}；请缩短。",
    "{name} has more than {count} columns; leave text, file_name and audio_file_name.": (
        "{name} 超过 {count} 列；请只保留 text、file_name 和 audio_file_name。"
    ),
    "{name} has no column 'text'; its first line should be text,file_name,audio_file_name.": (
        "{name} 没有 text 列；第一行应是 text,file_name,audio_file_name。"
    ),
    "There is no split {split}; choose train, test or all.": "没有数据划分 {split}；请选择 train、test 或 all。",
    "{name} has no picture or sound that can be used{why}; see the README for the layouts of a dataset.": (
        "{name} 里没有可以使用的图片或声音{why}；数据集的结构请看 README。"
    ),
    " (first of them: {file} {reason})": "（第一个问题：{file} {reason}）",
    "{name} has under {count} rows, so none is held out; use split 'all'.": (
        "{name} 不到 {count} 行，因此没有留出数据；请使用划分 all。"
    ),
    "The digits have no split {split}; choose train or test.": "digits 没有数据划分 {split}；请选择 train 或 test。",
    "The digits are not on this machine and {reason}; run this once with internet, or set MMGAN_DATA to a folder that "
    "has digits/.": ("本机没有 digits 数据，而且{reason}；请联网运行一次，或把 MMGAN_DATA 设为含有 digits/ 的文件夹。"),
    "{path} is broken; delete it, and it will be fetched again.": "{path} 已损坏；请删除它，之后会重新下载。",
    "{path} cannot be written; set XDG_CACHE_HOME to a folder that can.": (
        "{path} 无法写入；请把 XDG_CACHE_HOME 设为可以写入的文件夹。"
    ),
    "{path} cannot be written; make room, or set XDG_CACHE_HOME to another folder.": (
        "{path} 无法写入；请腾出空间，或把 XDG_CACHE_HOME 设为另一个文件夹。"
    ),
    "{path} does not hold the published recordings.": "{path} 里不是公开发布的那些录音。",
    # downloads
    "The download failed, for {reason}; {advice}.": "下载失败：{reason}；{advice}。",
    "there is no address for {name}": "没有 {name} 的下载地址",
    "{host} has no {name} any more": "{host} 上已经没有 {name}",
    "{host} cannot be reached": "连不上 {host}",
    "{host} keeps breaking off {name}": "从 {host} 下载 {name} 总是中断",
    "{name} arrived damaged or changed (its size or checksum is wrong)": (
        "{name} 下载后已损坏或有改动（大小或校验和不对）"
    ),
    "the recordings arrived damaged or changed": "录音下载后已损坏或有改动",
    "give one": "请给出一个",
    "update mmgan": "请更新 mmgan",
    "check the connection and try again": "请检查网络后再试",
    "try again later": "请稍后再试",
    "try again later, what has arrived is kept": "请稍后再试，已下载的部分会保留",
    "The disk is full; make room in {path} and try again.": "磁盘已满；请在 {path} 腾出空间后再试。",
    "{path} cannot be written; choose another folder or free this one.": (
        "{path} 无法写入；请换一个文件夹，或让这个文件夹可以写入。"
    ),
    "{name} could not be downloaded: {error}.": "{name} 无法下载：{error}。",
    # saving
    "The disk is full, so {path} was not saved and what was there before is kept; free some space and try again.": (
        "磁盘已满，{path} 没有保存，原来的内容保留；请腾出空间后再试。"
    ),
    "{path} cannot be written; choose a folder in which you may write.": "{path} 无法写入；请选择有写入权限的文件夹。",
    "{path} cannot be made, because a file or folder is in its way; choose another name.": (
        "无法建立 {path}，那里已有同名的文件或文件夹；请换一个名称。"
    ),
    "{path} was not saved ({error}) and what was there before is kept; try another folder.": (
        "{path} 没有保存（{error}），原来的内容保留；请换一个文件夹再试。"
    ),
    "{path} is saved anew all the time and could not be read in between; try again.": (
        "{path} 一直在重新保存，没能读到；请再试一次。"
    ),
}
