"""The Train tab's texts: key -> (English, Simplified Chinese). What each setting does stands in :mod:`.settings`."""

from .privacy import TRAIN as PRIVACY
from .settings import TEXTS as SETTINGS

TEXTS: dict[str, tuple[str, str]] = {
    **SETTINGS,
    **PRIVACY,
    # the list of runs
    "train_runs": ("Runs", "训练记录"),
    "train_new": ("New run", "新的训练"),
    "train_empty": (
        "No training has run here yet. Choose what to learn from, then press Start: within seconds you see the "
        "networks at work.",
        "这里还没有训练过。先选好要学的数据，再点“开始”，几秒钟后就能看到网络在学习。",
    ),
    "train_empty_guest": (
        "No training has run here yet. When your teacher starts one, it appears here by itself.",
        "这里还没有训练过。老师一开始训练，这里就会自动显示出来。",
    ),
    "train_none": ("None yet.", "还没有。"),
    "train_select": ("Choose a run to watch.", "请选择要观看的训练。"),
    "train_compare": ("Compare", "比较"),
    "train_compare_hint": ("Tick two or more runs to compare them.", "勾选两个或更多训练来比较。"),
    "train_tick": ("Compare {name}", "比较 {name}"),
    "train_ago_now": ("just now", "刚刚"),
    "train_ago_minutes": ("{count} min ago", "{count} 分钟前"),
    "train_ago_hours": ("{count} h ago", "{count} 小时前"),
    "train_ago_days": ("{count} d ago", "{count} 天前"),
    # states
    "train_state_starting": ("starting", "准备中"),
    "train_state_running": ("training", "训练中"),
    "train_state_paused": ("paused", "已暂停"),
    "train_state_finished": ("finished", "已完成"),
    "train_state_stopped": ("stopped", "已停止"),
    "train_state_failed": ("failed", "失败"),
    "train_state_out_of_memory": ("out of memory", "内存不足"),
    "train_stage_process": ("Start a process of its own", "启动独立进程"),
    "train_stage_libraries": ("Load PyTorch", "加载 PyTorch"),
    "train_stage_data": ("Read the data", "读取数据"),
    "train_stage_model": ("Build the networks", "建立网络"),
    "train_stage_samples": ("First samples, from random weights", "用随机权重生成第一批样本"),
    "train_stage_steps": ("First step", "第一步"),
    "train_preparing": ("Getting ready. This takes a few seconds.", "正在准备，需要几秒钟。"),
    "train_end_finished": ("Finished and saved at step {step}.", "训练完成，已保存在第 {step} 步。"),
    "train_end_stopped": ("Stopped and saved at step {step}.", "已停止，保存在第 {step} 步。"),
    "train_end_stopped_early": (
        "Stopped before its first step; nothing was lost.",
        "还没开始第一步就停止了，没有丢失任何内容。",
    ),
    "train_end_paused": (
        "Paused and saved at step {step}. It uses no computing time until somebody resumes it.",
        "已暂停，保存在第 {step} 步。继续之前不占用计算时间。",
    ),
    "train_end_failed": ("This run failed: {reason}", "训练失败：{reason}"),
    "train_end_out_of_memory": (
        "The memory was too small. Start again with a batch size of {batch_size}.",
        "内存不够。请把批量大小改为 {batch_size} 再开始。",
    ),
    "train_end_out_of_memory_least": (
        "The memory was too small even for the smallest batch. Start again with a smaller Size.",
        "最小的批量大小也超出了内存。请选择更小的“模型大小”再开始。",
    ),
    "train_kept": ("Its last checkpoint is safe, at step {step}.", "最近的检查点完好，在第 {step} 步。"),
    "train_log": ("The end of the log", "日志末尾"),
    # the head of a run
    "train_step": ("Step", "步数"),
    "train_of_steps": ("of {steps}", "共 {steps}"),
    "train_time": ("Trained", "已训练"),
    "train_left": ("Time left", "剩余"),
    "train_speed": ("Pairs a second", "每秒样本对"),
    "train_data": ("Data", "数据"),
    "train_seconds": ("{count} s", "{count} 秒"),
    "train_minutes": ("{count} min", "{count} 分钟"),
    "train_hours": ("{count} h {minutes} min", "{count} 小时 {minutes} 分钟"),
    "train_pause": ("Pause", "暂停"),
    "train_resume": ("Resume", "继续"),
    "train_stop": ("Stop", "停止"),
    "train_save": ("Save now", "立即保存"),
    "train_sample_now": ("Sample now", "立即采样"),
    "train_use": ("Load into Sample", "在“生成”中使用"),
    "train_again": ("New run with these settings", "用这些设置再训练"),
    "train_go_on": ("Train further", "接着训练"),
    "train_delete": ("Delete", "删除"),
    "train_delete_sure": (
        "Delete {name} with its checkpoint and samples? This cannot be undone.",
        "要删除 {name} 以及它的检查点和样本吗？删除后无法恢复。",
    ),
    "train_delete_yes": ("Delete for good", "彻底删除"),
    "train_delete_no": ("Keep it", "保留"),
    "train_waiting_stop": ("Saving and stopping after this step…", "这一步做完就保存并停止……"),
    "train_waiting_pause": ("Pausing after this step…", "这一步做完就暂停……"),
    "train_waiting_save": ("Saving after this step…", "这一步做完就保存……"),
    "train_waiting_sample": ("Sampling after this step…", "这一步做完就采样……"),
    "train_done_save": ("Saved at step {step}.", "已保存在第 {step} 步。"),
    "train_done_sample": ("Sampled at step {step}.", "已在第 {step} 步采样。"),
    "train_done_deleted": ("{name} was deleted.", "已删除 {name}。"),
    "train_lost": (
        "The page cannot reach mmgan. A training that runs goes on by itself; this page tries again.",
        "页面暂时连不上 mmgan。正在进行的训练会继续；页面会自动重连。",
    ),
    # samples
    "train_samples": ("Growing up", "成长过程"),
    "train_samples_note": (
        "The same {count} latent codes and prompts at every visit, so what changes is the generator. Real examples of "
        "the same kind are below. Click a picture to hear it.",
        "每次都用同样的 {count} 个潜在编码和提示词，所以变化的只有生成器。下面是同类的真实例子。点击图片可以听声音。",
    ),
    "train_visit": ("Step {step}", "第 {step} 步"),
    "train_visit_slider": ("Step shown", "显示的步数"),
    "train_replay": ("Replay", "重放"),
    "train_newest": ("Newest", "最新"),
    "train_generated": ("Generated", "生成的"),
    "train_real": ("Real", "真实的"),
    "train_listen": ("Play: {prompt}, step {step}", "播放：{prompt}，第 {step} 步"),
    "train_listen_real": ("Play the real example: {prompt}", "播放真实例子：{prompt}"),
    "train_no_real": ("no real example", "没有真实例子"),
    "train_film": ("Film strip", "胶片"),
    "train_film_note": (
        "Each row is one latent code; time runs to the right, real examples at the end.",
        "每一行是一个潜在编码；时间向右，最右边是真实例子。",
    ),
    "train_film_pictures": ("Pictures", "图片"),
    "train_film_sounds": ("Sounds", "声音"),
    "train_no_samples": ("The first samples appear before the first step.", "第一步之前就会出现第一批样本。"),
    # charts
    "train_chart_losses": ("Losses", "损失"),
    "train_chart_losses_note": (
        "The two networks play against each other, so neither line should fall to zero: a steady balance is a good "
        "sign, a discriminator near zero means that the generator is being found out every time.",
        "两个网络互相对抗，所以两条线都不该降到零：保持平衡是好现象；判别器接近零，说明生成器每次都被识破。",
    ),
    "train_chart_accuracy": ("Judge accuracy", "评判准确率"),
    "train_chart_accuracy_note": (
        "A separate classifier that takes no part in training looks at fresh samples: how many show, say, or do both, "
        "what their prompt asks for?",
        "由一个不参与训练的分类器检查新样本：有多少图片、声音，或两者同时符合提示词？",
    ),
    "train_chart_penalty": ("Penalty", "惩罚项"),
    "train_chart_penalty_note": (
        "How steep the discriminators are around the data. The penalty keeps them smooth, so that the generator can "
        "follow their advice.",
        "判别器在数据附近有多“陡”。惩罚项让它们保持平滑，生成器才能跟着它们的意见改进。",
    ),
    "train_chart_meaning": ("Meaning", "语义"),
    "train_chart_meaning_note": (
        "How well captions are told apart from pictures and sounds, real and generated, and how well the noise can be "
        "read back from what it made. Lower is better.",
        "从真实的和生成的图片、声音里认出说明文字的难度，以及从生成结果读回噪声的误差。越低越好。",
    ),
    "train_chart_speed": ("Speed", "速度"),
    "train_chart_speed_note": (
        "Pairs of a picture and a sound learned from in a second. It falls while others use the computer.",
        "每秒学习多少对图片和声音。别人也在用这台电脑时会变慢。",
    ),
    "train_chart_empty": ("Appears after the first steps.", "前几步之后出现。"),
    "train_chart_no_judge": (
        "There is no judge for these data, so compare with your own eyes and ears.",
        "这些数据没有评判器，请用自己的眼睛和耳朵来比较。",
    ),
    "train_curve_generator": ("generator", "生成器"),
    "train_curve_discriminator": ("discriminators", "判别器"),
    "train_curve_penalty": ("penalty", "惩罚项"),
    "train_curve_image_accuracy": ("pictures", "图片"),
    "train_curve_audio_accuracy": ("sounds", "声音"),
    "train_curve_both": ("both", "两者"),
    "train_curve_pairs_per_second": ("pairs a second", "每秒样本对"),
    "train_curve_contrastive": ("real", "真实"),
    "train_curve_generator_contrastive": ("generated", "生成"),
    "train_curve_latents": ("noise", "噪声"),
    "train_curve_wrong_caption": ("wrong caption", "错误的说明"),
    "train_curve_wrong_partner": ("wrong partner", "错误的搭配"),
    "train_chart_label": ("{title}, by step. {values}", "{title}，按步数。{values}"),
    # comparing
    "train_compare_title": ("Runs side by side", "训练比较"),
    "train_compare_curve": ("Curve", "曲线"),
    "train_compare_settings": ("Settings", "设置"),
    "train_compare_same": ("Show settings that are the same", "显示相同的设置"),
    "train_compare_differs": ("differs", "不同"),
    "train_compare_most": ("The first {count} of the ticked runs are compared.", "只比较所选训练中的前 {count} 个。"),
    "train_compare_none": ("These runs have the same settings.", "这些训练的设置相同。"),
    "train_setting": ("Setting", "设置"),
    "train_close": ("Back", "返回"),
    "train_settings_of": ("Settings of this run", "本次训练的设置"),
    # the form
    "train_form": ("Start a training", "开始训练"),
    "train_start": ("Start", "开始"),
    "train_form_data": ("Learn from", "学习的数据"),
    "train_form_shapes": ("shapes", "shapes（图形）"),
    "train_form_digits": ("digits", "digits（数字）"),
    "train_form_folder": ("a folder", "文件夹"),
    "train_form_shapes_note": (
        "Drawn shapes and tones that follow them, made on the fly: always there.",
        "现场绘制的图形和与之对应的声音，随时可用。",
    ),
    "train_form_digits_note": (
        "Handwritten digits and spoken digits. The quickest to learn; good for a lesson.",
        "手写数字和数字读音。学得最快，适合课堂。",
    ),
    "train_form_folder_note": (
        "A folder or a zip on the computer where mmgan runs: pictures and sounds with captions, 20 or more.",
        "运行 mmgan 的电脑上的文件夹或 zip：带说明文字的图片和声音，20 个以上。",
    ),
    "train_form_path": ("Path of the folder or zip", "文件夹或 zip 的路径"),
    "train_form_length": ("Train for", "训练时长"),
    "train_form_minutes": ("minutes", "分钟"),
    "train_form_steps": ("steps", "步"),
    "train_form_start_from": ("Start from", "起点"),
    "train_form_start_nothing": ("nothing: random weights", "从零开始：随机权重"),
    "train_form_start_nothing_note": (
        "Both networks know nothing at first. The class sees all of the learning.",
        "两个网络一开始什么都不会，全班能看到完整的学习过程。",
    ),
    "train_form_start_model_note": (
        "A new run begins with this model's weights and its size; the model itself stays as it is.",
        "新的训练从这个模型的权重和大小开始；原来的模型保持不变。",
    ),
    "train_form_name": ("Name of the run", "训练名称"),
    "train_form_more": ("Advanced settings", "高级设置"),
    "train_form_more_note": (
        "The defaults are good. Change one thing at a time, and compare the runs afterwards.",
        "默认值就很好。每次只改一项，然后比较训练结果。",
    ),
    "train_form_default": ("default {value}", "默认 {value}"),
    "train_form_reset": ("Back to the defaults", "恢复默认"),
    "train_form_command": ("The same from the terminal", "在终端里的同一命令"),
    "train_form_limits": ("{name}: enter a number from {low} to {high}.", "{name}：请输入 {low} 到 {high} 之间的数。"),
    "train_form_limits_unit": (
        "{name}: enter {low} to {high} {unit}.",
        "{name}：请输入 {low} 到 {high} {unit}。",
    ),
    "train_form_limits_whole": (
        "{name}: enter a whole number from {low} to {high}.",
        "{name}：请输入 {low} 到 {high} 之间的整数。",
    ),
    "train_form_limits_step": (
        "{name}: enter a multiple of {step} from {low} to {high} {unit}.",
        "{name}：请输入 {step} 的倍数，从 {low} 到 {high} {unit}。",
    ),
    "train_unit_minutes": ("minutes", "分钟"),
    "train_unit_steps": ("steps", "步"),
    "train_unit_seconds": ("seconds", "秒"),
    "train_unit_pairs": ("pairs", "对样本"),
    "train_unit_files": ("files", "个文件"),
    "train_unit_examples": ("examples", "个例子"),
    # who may
    "train_code": ("Teacher code", "教师口令"),
    "train_code_note": (
        "Only the teacher can start, stop and delete runs here. Everybody can watch.",
        "只有老师可以开始、停止和删除训练。所有人都可以观看。",
    ),
    "train_code_unlock": ("Unlock", "解锁"),
    "train_code_needed": (
        "Only the teacher can do this here; enter the teacher code first.",
        "只有老师可以这样做；请先输入教师口令。",
    ),
    "train_code_wrong": ("That is not the teacher code.", "教师口令不正确。"),
    "train_code_wait": (
        "Too many wrong codes; wait {seconds} {seconds|second|seconds} before the next one.",
        "错误次数太多；请等 {seconds} 秒再试。",
    ),
    "train_code_closed": (
        "This page is open to others, so nobody can start or stop runs on it; start mmgan with --teacher-code to "
        "allow it to whoever knows the code.",
        "本页面对外开放，因此谁都不能在这里开始或停止训练；启动 mmgan 时加上 --teacher-code，知道口令的人就可以操作。",
    ),
    "train_code_proxy": (
        "This page came to you through another server, so nothing can be started or stopped from here; start mmgan "
        "with --proxy and the address of that server, and with --teacher-code.",
        "本页面是经由另一台服务器到达您的，因此在这里不能开始或停止训练；启动 mmgan 时请加上 --proxy"
        "（该服务器的地址）和 --teacher-code。",
    ),
    # what can go wrong
    "train_bad_name": (
        "Name the run with letters, digits, spaces, - and _, beginning with a letter or digit, up to 60 characters; "
        "con, nul and the like are Windows' own.",
        "训练名称请用文字、数字、空格、- 和 _，以文字或数字开头，最多 60 个字符；con、nul 等由 Windows 保留。",
    ),
    "train_name_taken": (
        "There is a run named {name} already; choose another name.",
        "已经有名为 {name} 的训练；请换一个名称。",
    ),
    "train_no_data": (
        "There is no folder or zip {data} on the computer where mmgan runs; check the path.",
        "运行 mmgan 的电脑上没有文件夹或 zip：{data}；请检查路径。",
    ),
    "train_no_room": (
        "Being trained already: {runs}. Another one beside it would slow everything down; stop or pause one first.",
        "{runs} 正在训练。再加一个会让训练都变慢；请先停止或暂停一个。",
    ),
    "train_gone": ("There is no run named {name}; it may have been deleted.", "没有名为 {name} 的训练；可能已被删除。"),
    "train_no_name": ("Name the run; /runs lists them all.", "请给出训练的名称；/runs 会列出全部。"),
    "train_bad_action": ("The page asked for something unknown; reload it.", "页面请求了未知的操作；请刷新。"),
    "train_bad_length": ("Train for a number of {unit} above 0.", "训练时长（{unit}）应大于 0。"),
}
