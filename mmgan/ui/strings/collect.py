"""The Collect tab's texts, and those of fine-tuning: key -> (English, Simplified Chinese)."""

from .privacy import COLLECT as PRIVACY

TEXTS: dict[str, tuple[str, str]] = {
    **PRIVACY,
    # projects
    "collect_projects": ("Projects", "项目"),
    "collect_new": ("New", "新建"),
    "collect_none": ("None yet.", "还没有。"),
    "collect_welcome": ("Your own pictures and sounds become a model", "用自己的图片和声音做一个模型"),
    "collect_step_1": (
        "Add pictures and sounds, and say in a few words what each one is. Upload them, or record them here.",
        "添加图片和声音，并用几个字说明每一个是什么。可以上传，也可以在这里录制。",
    ),
    "collect_step_2": (
        "Look through them: whatever is wrong with a file is said beside it, with one button that helps.",
        "检查一遍：文件有什么问题，旁边会写明，并有一个按钮可以处理。",
    ),
    "collect_step_3": (
        "Fine-tune a model on them. Twenty to a few hundred files and about eight minutes are enough.",
        "用它们微调一个模型。二十到几百个文件、大约八分钟就够了。",
    ),
    "collect_welcome_drop": (
        "Or drop files, a folder or a zip anywhere in this box: a project is begun for them.",
        "也可以把文件、文件夹或 zip 拖到这个框里：会为它们新建一个项目。",
    ),
    "collect_name": ("Name of the project", "项目名称"),
    "collect_name_hint": ("Kitchen sounds, my drawings…", "厨房里的声音、我的画……"),
    "collect_create": ("Begin a project", "开始一个项目"),
    "collect_private": (
        "Only this browser sees your projects, unless you share one. Deleting one deletes its files.",
        "只有这个浏览器能看到你的项目，除非你把它共享出来。删除项目会同时删除其中的文件。",
    ),
    "collect_shared": ("shared", "已共享"),
    "collect_of_others": ("from somebody else", "来自他人"),
    "collect_shared_note": (
        "Somebody else shared this project. You can look, export and fine-tune; only they can change it.",
        "这个项目由他人共享。你可以查看、导出和微调，但只有对方能修改。",
    ),
    "collect_files": ("{count} {count|file|files}", "{count} 个文件"),
    "collect_pictures": ("Pictures", "图片"),
    "collect_sounds": ("Sounds", "声音"),
    "collect_pairs": ("Pairs", "配对"),
    "collect_captions": ("Captions", "说明"),
    "collect_left_out": ("Left out", "未采用"),
    "collect_rename": ("Rename", "重命名"),
    "collect_save": ("Save", "保存"),
    "collect_cancel": ("Cancel", "取消"),
    "collect_share": ("Share", "共享"),
    "collect_unshare": ("Stop sharing", "停止共享"),
    "collect_share_note": ("Everybody who opens this page can see it now.", "现在打开本页的人都能看到它。"),
    "collect_to_tune": ("Fine-tune", "微调"),
    "collect_export": ("Export as zip", "导出 zip"),
    "collect_delete": ("Delete project", "删除项目"),
    "collect_delete_sure": (
        "Delete {name} and its {count} {count|file|files} from the disk? Models that learned from them stay, but show "
        "none of them any more. This cannot be undone.",
        "要把 {name} 和其中的 {count} 个文件从磁盘上删除吗？用它们训练的模型会保留，但不再展示这些文件。"
        "删除后无法恢复。",
    ),
    "collect_delete_yes": ("Delete for good", "彻底删除"),
    "collect_delete_no": ("Keep it", "保留"),
    "collect_lost": (
        "The page cannot reach mmgan; check that it is still running, then try again.",
        "页面连不上 mmgan；请确认它还在运行，然后再试一次。",
    ),
    # adding
    "collect_add": ("Add files", "添加文件"),
    "collect_upload": ("Upload", "上传"),
    "collect_record": ("Record", "录制"),
    "collect_drop": (
        "Drop pictures, sounds, a folder or a zip here",
        "把图片、声音、文件夹或 zip 拖到这里",
    ),
    "collect_choose_files": ("Choose files or a zip", "选择文件或 zip"),
    "collect_choose_folder": ("Choose a folder", "选择文件夹"),
    "collect_one_caption": ("One caption for all of them (may stay empty)", "给它们同一个说明（可以留空）"),
    "collect_one_caption_hint": ("a bronze bell", "一口铜钟"),
    "collect_limits": (
        "Up to {files} files, {each} each and {all} in all; a zip up to {upload}. Pictures: PNG, JPEG, WebP, "
        "GIF, BMP, up to {pixels} million pixels. Sounds: WAV, FLAC, OGG, MP3, M4A and others, up to {minutes} "
        "minutes.",
        "最多 {files} 个文件，每个 {each}，总共 {all}；zip 最大 {upload}。"
        "图片：PNG、JPEG、WebP、GIF、BMP，最多 {pixels} 百万像素。"
        "声音：WAV、FLAC、OGG、MP3、M4A 等，最长 {minutes} 分钟。",
    ),
    "collect_layouts": ("Where captions come from", "说明从哪里来"),
    "collect_layout_folder": (
        "A folder for each caption: dog/1.jpg, dog/bark.wav",
        "每个说明一个文件夹：dog/1.jpg、dog/bark.wav",
    ),
    "collect_layout_stem": (
        "The file's name: red apple.png and red apple.wav are a pair",
        "文件名：red apple.png 和 red apple.wav 是一对",
    ),
    "collect_layout_table": (
        "metadata.csv or metadata.jsonl with text, file_name and audio_file",
        "metadata.csv 或 metadata.jsonl，含 text、file_name 和 audio_file",
    ),
    "collect_layout_beside": (
        "A text file beside each file: img001.txt says what img001.png is",
        "每个文件旁边一个文本文件：img001.txt 说明 img001.png",
    ),
    "collect_layout_later": ("Or none: write them in the table below.", "也可以没有：在下面的表格里填写。"),
    "collect_sending": ("Sending {done} of {total}: {name}", "正在上传 {done} / {total}：{name}"),
    "collect_reading": ("Reading {done} of {total}: {name}", "正在读取 {done} / {total}：{name}"),
    "collect_reading_soon": ("Waiting for its turn…", "正在排队……"),
    "collect_added": (
        "Added {pictures} {pictures|picture|pictures} and {sounds} {sounds|sound|sounds}.",
        "已添加 {pictures} 张图片和 {sounds} 段声音。",
    ),
    "collect_added_look": ("{count} of them {count|needs|need} a look.", "其中 {count} 个需要看一看。"),
    "collect_added_left_out": (
        "{count} other {count|thing|things} could not be taken.",
        "另有 {count} 项无法采用。",
    ),
    "collect_added_guessed": (
        "Captions of {name} were read as {encoding}; if they look wrong, choose another encoding below.",
        "{name} 里的说明按{encoding}读取；如果不对，请在下面选择别的编码。",
    ),
    "collect_cancelled": ("Stopped; what had been added stays.", "已停止；之前添加的保留。"),
    "collect_nothing_chosen": ("There is no picture, sound or zip among these.", "其中没有图片、声音或 zip。"),
    # recording
    "collect_class": ("Caption of what you record now", "正在录制的内容的说明"),
    "collect_class_hint": ("a clapping hand", "拍手"),
    "collect_classes": ("Captions so far; click one to record more under it", "已有的说明；点击可继续录制"),
    "collect_camera_on": ("Turn on camera and microphone", "打开摄像头和麦克风"),
    "collect_camera_off": ("Turn off", "关闭"),
    "collect_shoot": ("Hold to take pictures", "按住连续拍照"),
    "collect_listen": ("Record 1 second of sound", "录 1 秒声音"),
    "collect_both": ("Picture and sound together", "同时拍照和录音"),
    "collect_listening": ("Recording…", "正在录音……"),
    "collect_recorded": (
        "{pictures} {pictures|picture|pictures} and {sounds} {sounds|sound|sounds} under this caption",
        "本说明下有 {pictures} 张图片、{sounds} 段声音",
    ),
    "collect_keep": ("Add {count} {count|recording|recordings}", "添加录制的 {count} 个文件"),
    "collect_keep_under": (
        "Add {count} {count|recording|recordings} as “{caption}”",
        "把录制的 {count} 个文件添加为“{caption}”",
    ),
    "collect_class_first": ("Write the caption first, then record.", "请先写说明，再录制。"),
    "collect_preview": ("What the camera sees", "摄像头画面"),
    "collect_no_camera": (
        "Browsers give camera and microphone only to a page of this very computer or one with https. This device's own "
        "camera and recorder work all the same:",
        "浏览器只允许本机页面或 https 页面使用摄像头和麦克风。可以改用设备自带的相机和录音机：",
    ),
    "collect_no_device": (
        "Neither camera nor microphone could be opened; allow them in the browser, or upload files instead.",
        "摄像头和麦克风都打不开；请在浏览器中允许使用，或改为上传文件。",
    ),
    "collect_no_camera_device": ("There is no camera here; sounds can be recorded.", "没有摄像头；可以录音。"),
    "collect_no_microphone": ("There is no microphone here; pictures can be taken.", "没有麦克风；可以拍照。"),
    "collect_native_picture": ("Take a picture", "拍照"),
    "collect_native_sound": ("Record a sound", "录音"),
    # the table
    "collect_table": ("What is in it", "项目内容"),
    "collect_empty": (
        "Nothing here yet. Add files above, or record a few: twenty are a good start.",
        "这里还没有内容。请在上面添加文件，或录制一些：二十个是不错的开始。",
    ),
    "collect_no_match": ("No file fits this choice.", "没有符合条件的文件。"),
    "collect_show": ("Show", "显示"),
    "collect_show_all": ("All files", "全部文件"),
    "collect_show_look": ("Need a look", "需要看一看"),
    "collect_show_left_out": ("Left out", "未采用"),
    "collect_show_image": ("Pictures", "图片"),
    "collect_show_sound": ("Sounds", "声音"),
    "collect_find": ("Find a name or caption, or a pattern like dog*", "查找名称或说明，或 dog* 这样的模式"),
    "collect_file": ("File", "文件"),
    "collect_caption": ("Caption", "说明"),
    "collect_partner": ("Goes with", "搭配"),
    "collect_caption_of": ("Caption of {name}", "{name} 的说明"),
    "collect_no_caption_yet": ("what is it?", "这是什么？"),
    "collect_tick": ("Choose {name}", "选择 {name}"),
    "collect_tick_all": ("Choose all on this page", "选择本页全部"),
    "collect_chosen": ("{count} chosen", "已选 {count} 个"),
    "collect_delete_chosen": ("Delete chosen", "删除所选"),
    "collect_delete_chosen_sure": (
        "Delete the {count} chosen {count|file|files} from the disk? This cannot be undone.",
        "要把所选的 {count} 个文件从磁盘上删除吗？删除后无法恢复。",
    ),
    "collect_delete_one": ("Delete {name}", "删除 {name}"),
    "collect_play": ("Play {name}", "播放 {name}"),
    "collect_open": ("Look at {name}", "查看 {name}"),
    "collect_pixels": ("{width} × {height} pixels", "{width} × {height} 像素"),
    "collect_seconds": ("{seconds} s", "{seconds} 秒"),
    "collect_in_pieces": ("in {count} {count|piece|pieces}", "切成 {count} 段"),
    "collect_page": ("{first} to {last} of {found}", "第 {first} 到 {last} 个，共 {found} 个"),
    "collect_pages": ("Pages of the table", "表格分页"),
    "collect_before": ("Previous page", "上一页"),
    "collect_after": ("Next page", "下一页"),
    "collect_deleted_one": ("{name} was deleted.", "已删除 {name}。"),
    "collect_undo": ("Undo", "撤销"),
    "collect_undo_failed": ("{name} could not be put back; add it again.", "无法恢复 {name}；请重新添加。"),
    "collect_act_delete": ("Delete it", "删除"),
    "collect_act_caption": ("Write its caption", "填写说明"),
    "collect_act_cut": ("Cut into pieces", "切成几段"),
    "collect_act_pair": ("Choose its partner", "选择搭配"),
    "collect_act_look": ("Look closer", "仔细看看"),
    "collect_long": ("Of this long sound", "这段长声音"),
    "collect_cut_loudest": ("use the loudest second", "只用最响的一秒"),
    "collect_cut_pieces": ("use several pieces", "切成几段来用"),
    "collect_long_chosen": ("Long sounds among them:", "其中较长的声音："),
    "collect_unpair": ("Separate {name} from its partner", "解除 {name} 的搭配"),
    "collect_pair_with": ("Partner of {name}", "{name} 的搭配"),
    "collect_choose_one": ("Choose…", "请选择……"),
    "collect_close": ("Close", "关闭"),
    "collect_left_out_list": (
        "{count} {count|thing|things} in your uploads could not be taken",
        "上传内容中有 {count} 项无法采用",
    ),
    "collect_forget": ("Empty this list", "清空列表"),
    # captions whose encoding was guessed
    "collect_guessed": ("Captions of {name} were read as", "{name} 里的说明读取时用的编码："),
    "collect_guessed_example": ("such as “{example}”.", "例如“{example}”。"),
    "collect_guessed_right": ("That is right", "没错"),
    "collect_encoding_utf-8": ("Unicode (UTF-8)", "Unicode（UTF-8）"),
    "collect_encoding_utf-16": ("Unicode (UTF-16)", "Unicode（UTF-16）"),
    "collect_encoding_cp1252": ("Western European (cp1252)", "西欧（cp1252）"),
    "collect_encoding_cp1250": ("Central European (cp1250)", "中欧（cp1250）"),
    "collect_encoding_cp1251": ("Cyrillic (cp1251)", "西里尔文（cp1251）"),
    "collect_encoding_koi8-r": ("Russian (KOI8-R)", "俄文（KOI8-R）"),
    "collect_encoding_koi8-u": ("Ukrainian (KOI8-U)", "乌克兰文（KOI8-U）"),
    "collect_encoding_cp866": ("Cyrillic of DOS (cp866)", "DOS 西里尔文（cp866）"),
    "collect_encoding_cp1253": ("Greek (cp1253)", "希腊文（cp1253）"),
    "collect_encoding_cp1254": ("Turkish (cp1254)", "土耳其文（cp1254）"),
    "collect_encoding_cp1255": ("Hebrew (cp1255)", "希伯来文（cp1255）"),
    "collect_encoding_cp1256": ("Arabic (cp1256)", "阿拉伯文（cp1256）"),
    "collect_encoding_cp1257": ("Baltic (cp1257)", "波罗的海（cp1257）"),
    "collect_encoding_cp1258": ("Vietnamese (cp1258)", "越南文（cp1258）"),
    "collect_encoding_cp874": ("Thai (cp874)", "泰文（cp874）"),
    "collect_encoding_cp932": ("Japanese (Shift-JIS)", "日文（Shift-JIS）"),
    "collect_encoding_euc_jis_2004": ("Japanese (EUC-JP)", "日文（EUC-JP）"),
    "collect_encoding_cp949": ("Korean (cp949)", "韩文（cp949）"),
    "collect_encoding_gb18030": ("Chinese, simplified (GB18030)", "简体中文（GB18030）"),
    "collect_encoding_big5hkscs": ("Chinese, traditional (Big5)", "繁体中文（Big5）"),
    "collect_encoding_mac-roman": ("Western European of old Macs (Mac Roman)", "旧 Mac 西欧（Mac Roman）"),
    # captions in bulk
    "collect_bulk": ("Change many captions at once", "批量修改说明"),
    "collect_bulk_which": ("Of files named", "文件名符合"),
    "collect_bulk_chosen": ("of the {count} chosen {count|file|files}", "所选的 {count} 个文件"),
    "collect_bulk_new": ("New caption", "新的说明"),
    "collect_bulk_note": (
        "* stands for anything, as in dog*. In the caption, [name] becomes the file's name, [folder] its folder, "
        "[number] 1, 2, 3… and [caption] the present caption.",
        "* 代表任意文字，如 dog*。说明里的 [name] 会换成文件名，[folder] 换成文件夹名，[number] 换成 1、2、3……，"
        "[caption] 换成现在的说明。",
    ),
    "collect_bulk_set": ("Write captions", "写入说明"),
    "collect_bulk_empty": ("Write the new caption first.", "请先写新的说明。"),
    "collect_bulk_find": ("Find in captions", "在说明中查找"),
    "collect_bulk_replace": ("Replace by", "替换为"),
    "collect_bulk_go": ("Replace", "替换"),
    "collect_changed": ("{count} {count|caption|captions} changed.", "修改了 {count} 条说明。"),
    # what is wrong with a file
    "collect_problem_broken": ("Left out: {error}", "未采用：{error}"),
    "collect_problem_duplicate": (
        "The same file as {original}; delete one of them.",
        "和 {original} 是同一个文件；请删除其中一个。",
    ),
    "collect_problem_duplicate_caption": (
        "The same file as {original} under another caption; keep the one that fits.",
        "和 {original} 是同一个文件，但说明不同；请保留合适的那个。",
    ),
    "collect_problem_silent": ("Silent; record it again.", "没有声音；请重新录制。"),
    "collect_problem_too_short": (
        "Only {seconds} s, too short to learn from; record it again.",
        "只有 {seconds} 秒，太短，学不到东西；请重新录制。",
    ),
    "collect_problem_too_small": (
        "Only {width} × {height} pixels, too small to see anything; choose a larger one.",
        "只有 {width} × {height} 像素，太小，看不清；请换一张大的。",
    ),
    "collect_problem_no_caption": (
        "No caption, so it cannot be learned yet; write what it is.",
        "没有说明，暂时不能学习；请写明这是什么。",
    ),
    "collect_problem_clipped": (
        "Recorded too loud, so its peaks are cut off; record it again from further away.",
        "录得太响，波峰被削掉了；请离远一点重录。",
    ),
    "collect_problem_repaired_broken": (
        "Some samples were infinite, no numbers or far too loud. They were replaced; listen to it once.",
        "有些采样是无穷大、不是数字或响得离谱，已经替换；请听一遍。",
    ),
    "collect_problem_repaired_scaled": (
        "Its samples were on another scale than usual. They were scaled; listen to it once.",
        "采样的数值范围不同寻常，已经换算；请听一遍。",
    ),
    "collect_problem_repaired_offset": (
        "It lay beside the zero line. It was moved back; listen to it once.",
        "波形偏离了零线，已经移回；请听一遍。",
    ),
    "collect_problem_faint": (
        "Hardly louder than the noise; record it again from closer by.",
        "声音太小，几乎被噪声盖住；请靠近一点重录。",
    ),
    "collect_problem_too_long": (
        "Lasts {seconds} s and a clip {clip} s: its most energetic second is used; cut it into pieces to use more.",
        "长 {seconds} 秒，而一段只有 {clip} 秒：只用声音最强的一秒；切成几段可以多用一些。",
    ),
    "collect_problem_no_partner_image": (
        "No sound goes with it, so the picture is learned alone.",
        "没有搭配的声音，只学习图片。",
    ),
    "collect_problem_no_partner_sound": (
        "No picture goes with it, so the sound is learned alone.",
        "没有搭配的图片，只学习声音。",
    ),
    # refusals
    "collect_no_cookie": (
        "This browser keeps no cookies, so it could not find your project again; allow them for this page.",
        "浏览器没有保存 Cookie，之后会找不到你的项目；请允许本页使用 Cookie。",
    ),
    "collect_not_yours": ("Only its owner can change {name}.", "只有所有者能修改 {name}。"),
    "collect_no_item": (
        "That file is no longer in the project; reload the page.",
        "项目里已经没有这个文件；请刷新页面。",
    ),
    "collect_many_ids": (
        "That names more than the {limit} files that a project holds; choose fewer.",
        "所选的文件超过一个项目的上限 {limit} 个；请少选一些。",
    ),
    "collect_many_uploads": (
        "Several uploads of yours are still under way; wait for one of them to end.",
        "你还有几个上传没有结束；请等其中一个完成。",
    ),
    "collect_no_upload": ("This upload is over; begin another one.", "这次上传已经结束；请重新上传。"),
    "collect_over_limit": (
        "That would exceed the {size} that a project holds; add less.",
        "这样会超过一个项目的上限 {size}；请少添加一些。",
    ),
    "collect_over_count": (
        "An upload holds up to {limit} files; add them in several turns.",
        "一次最多上传 {limit} 个文件；请分几次添加。",
    ),
    "collect_model_unsaved": (
        "The model could not be saved; check that the disk has room.",
        "模型无法保存；请检查磁盘是否还有空间。",
    ),
    "collect_too_large": ("{name} is larger than {size}; make it smaller.", "{name} 超过了 {size}；请改小一些。"),
    "collect_disk_full": (
        "The disk of this mmgan is full; delete a project first.",
        "运行 mmgan 的磁盘满了；请先删除一个项目。",
    ),
    "collect_broken_off": ("{name} did not arrive whole; add it again.", "{name} 没有传完；请再添加一次。"),
    "collect_bad_path": (
        "{name} has a name that cannot be used here; rename the file.",
        "{name} 的文件名无法使用；请重命名。",
    ),
    "collect_nothing_to_learn": (
        "Nothing in this project can be learned from yet; add files, or write their captions.",
        "这个项目里还没有可以学习的内容；请添加文件，或填写说明。",
    ),
    # fine-tuning
    "collect_tune": ("Fine-tune a model on them", "用它们微调模型"),
    "collect_tune_note": (
        "The model starts from what it knows already and goes on with your files. A tenth of them (from 20 files on) "
        "is never learned from: by it you see whether it copies.",
        "模型从已有的知识出发，继续学习你的文件。其中十分之一（20 个文件以上时）不用于学习，用来检查它是否在照抄。",
    ),
    "collect_tune_few": (
        "{count} {count|file is|files are} not many: from 20 on, some can be held out to see whether the model copies.",
        "{count} 个文件有点少：达到 20 个后，可以留出一部分来检查模型是否照抄。",
    ),
    "collect_tune_base": ("Start from", "从哪个模型开始"),
    "collect_tune_minutes": ("Minutes", "分钟数"),
    "collect_tune_batch_note": (
        "Files looked at in one step; a multiple of 4. Lower it where a run ended out of memory.",
        "每一步看多少个文件；须为 4 的倍数。如果训练因内存不足而结束，请调小。",
    ),
    "collect_tune_name": ("Name of the model", "模型名称"),
    "collect_tune_start": ("Start fine-tuning", "开始微调"),
    "collect_import": ("A model from somebody else", "来自他人的模型"),
    "collect_import_note": (
        "Drop a model zip that mmgan made, on this or another computer. It is checked before anything is built of it.",
        "可以导入 mmgan 在本机或其他电脑上导出的模型 zip。使用之前会先检查。",
    ),
    "collect_import_choose": ("Import a model zip", "导入模型 zip"),
    "collect_data_given": (
        "{name} holds pictures and sounds, not a model; add it to a project to learn from it.",
        "{name} 里是图片和声音，不是模型；请把它加入项目，用来学习。",
    ),
    "collect_data_given_go": ("Add {name} to a project", "把 {name} 加入项目"),
    "collect_model_given": (
        "{name} is a model, not pictures and sounds; import it as a model.",
        "{name} 是模型，不是图片和声音；请把它作为模型导入。",
    ),
    "collect_model_given_go": ("Import {name} as a model", "把 {name} 作为模型导入"),
    "collect_importing": ("Checking {name}…", "正在检查 {name}……"),
    "collect_imported": ("{name} is here.", "{name} 已导入。"),
    "collect_try": ("Try it in Sample", "去“生成”里试试"),
    # a fine-tuning in the Train tab
    "collect_tuned_title": ("Before and after", "微调前后"),
    "collect_tuned_note": (
        "The same latent codes and your captions. Above, what {base} made of them; then what the model makes now; "
        "last, the nearest of your own files: if these look the same, it copies.",
        "潜在编码相同，说明是你写的。第一行是 {base} 原来的结果，第二行是模型现在的结果，第三行是你最接近的文件："
        "如果第二、三行看起来一样，就是在照抄。",
    ),
    "collect_tuned_before": ("Before", "之前"),
    "collect_tuned_after": ("After", "之后"),
    "collect_tuned_nearest": ("Nearest of your files", "最接近的文件"),
    "collect_tuned_soon": ("Appears with the first samples.", "有了第一批样本就会出现。"),
    "collect_tuned_gauge": ("Does it copy your files?", "它在照抄你的文件吗？"),
    # what mmgan.evaluation.own says, known again by its English
    "collect_gauge_copying": (
        "It is copying your files: {share} of its samples are nearly the same as one of them.",
        "它在照抄你的文件：{share} 的样本几乎和其中某个文件一样。",
    ),
    "collect_gauge_close": (
        "It comes close to copying: {share} of its samples are nearly one of your files.",
        "它接近照抄：{share} 的样本和你的某个文件很像。",
    ),
    "collect_gauge_far": (
        "Its samples are still further from your files than new files of the same kind would be.",
        "它的样本和你的文件还差得远，比同类的新文件还远。",
    ),
    "collect_gauge_own": (
        "It makes things of its own: its samples are no copies of your files.",
        "它在创作自己的东西：样本不是你的文件的复制品。",
    ),
    "collect_tuned_said": ("What the held-out files say", "留出的文件说明了什么"),
    "collect_tuned_alt": (
        "Before, after, and the nearest of your files, in columns by caption: {captions}",
        "微调之前、之后和最接近的文件，按说明分列：{captions}",
    ),
    "collect_image": ("Pictures", "图片"),
    "collect_audio": ("Sounds", "声音"),
    "collect_download_model": ("Download the model", "下载模型"),
    "collect_publish": ("Publish", "发布"),
    "collect_publish_title": ("Publish on the Hugging Face Hub", "发布到 Hugging Face Hub"),
    "collect_publish_note": (
        "The model goes there with its card. This needs internet, and a token of yours with the right to write, from "
        "huggingface.co/settings/tokens; it is used for this upload and kept nowhere.",
        "模型会连同模型卡片一起上传。需要联网，还需要你自己的、有写入权限的访问令牌，"
        "可在 huggingface.co/settings/tokens 创建；令牌只用于这次上传，不会保存。",
    ),
    "collect_publish_repo": ("Name on the Hub: owner/name", "在 Hub 上的名称：用户名/名称"),
    "collect_publish_token": ("Your token", "你的令牌"),
    "collect_publish_public": ("Everybody may see it", "所有人可见"),
    "collect_publish_go": ("Upload", "上传"),
    "collect_publishing": ("Uploading…", "正在上传……"),
    "collect_published": ("The model is at", "模型已发布在"),
    "collect_no_token": (
        "Paste your token of the Hugging Face Hub; it is made at huggingface.co/settings/tokens.",
        "请填入你的 Hugging Face Hub 令牌；可在 huggingface.co/settings/tokens 创建。",
    ),
}
