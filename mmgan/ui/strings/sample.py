"""The Sample tab's texts: key -> (English, Simplified Chinese)."""

TEXTS: dict[str, tuple[str, str]] = {
    # what is asked for
    "prompt": ("Prompt", "提示词"),
    "prompt_placeholder": ("Type a sentence, such as “a handwritten seven”", "输入一句话，例如“手写的七”"),
    "generate": ("Generate", "生成"),
    "examples": ("Or try one of these", "或者试试这些"),
    "model": ("Model", "模型"),
    "num_samples": ("Samples", "数量"),
    "seed": ("Seed", "种子"),
    "seed_dice": ("New seed", "换种子"),
    "more": ("More", "更多"),
    "truncation": ("Truncation", "截断"),
    "truncation_info": (
        "How far the samples may stray from the typical: 1 gives all the variety that the model has, lower values "
        "give plainer, steadier samples.",
        "样本可以偏离典型样子多远：1 保留模型的全部多样性；值越小，样本越普通、越稳定。",
    ),
    # what comes back
    "results": ("Results", "结果"),
    "play_all": ("Play all", "全部播放"),
    "play": ("Play sample {index}", "播放样本 {index}"),
    "picture": ("picture of: {prompt}, sample {index}", "图片：{prompt}，样本 {index}"),
    "spectrogram": ("spectrogram of: {prompt}, sample {index}", "频谱图：{prompt}，样本 {index}"),
    "spectrogram_hint": (
        "Time runs to the right, pitch upwards. Click to play from there.",
        "向右是时间，向上是音高。点击即从该处播放。",
    ),
    "save_png": ("Save the picture of sample {index}", "保存样本 {index} 的图片"),
    "save_wav": ("Save the sound of sample {index}", "保存样本 {index} 的声音"),
    "seconds": ("{seconds:.1f} s", "{seconds:.1f} 秒"),
    "ran": (
        "{count} from {model} in {milliseconds:,.0f} ms on {device}, seed {seed}",
        "{model}：{count}，{device}，{milliseconds:,.0f} 毫秒，种子 {seed}",
    ),
    "ran_together": (", together with {count} other {count|request|requests}", "，与另外 {count} 个请求一起"),
    "ran_before": (", remembered from an earlier request", "，取自之前同样的请求"),
    "ran_truncation": (", truncation {truncation:g}", "，截断 {truncation:g}"),
    "samples_made": ("{count} {count|sample|samples}", "{count} 个样本"),
    "words_hint": (
        "The stronger a word is marked, the more it moved the result.",
        "词的底色越深，它对结果的影响越大。",
    ),
    "words_list": ("Share of each word: {words}.", "各词所占的份量：{words}。"),
    "word_share": ("{word} {share} %", "{word} {share}%"),
    "unfamiliar": (
        "I have never seen anything like this, so what comes is a guess. The nearest that I know: “{nearest}”.",
        "我从没见过这样的描述，下面只是猜测。我知道的最接近的是：“{nearest}”。",
    ),
    # favourites
    "keep": ("Keep sample {index}", "收藏样本 {index}"),
    "favourites": ("Favourites", "收藏"),
    "favourites_empty": (
        "Press the heart on a card to keep it here. Favourites stay in this browser, and nowhere else.",
        "点击卡片上的心形即可收藏到这里。收藏只保存在这个浏览器里。",
    ),
    "favourite_of": ("{prompt}, seed {seed}, {model}", "{prompt}，种子 {seed}，{model}"),
    "favourite_play": ("Play {prompt}, seed {seed}", "播放 {prompt}，种子 {seed}"),
    "favourite_again": ("Ask for this again", "再次生成"),
    "favourite_remove": ("Remove from favourites: {prompt}, seed {seed}", "取消收藏：{prompt}，种子 {seed}"),
    "zip": ("Download as a zip", "打包下载"),
    "zip_results": ("Download these as a zip", "打包下载这些结果"),
    "zip_hint": (
        "Pictures, sounds and metadata.csv: a dataset that opens in mmgan and elsewhere.",
        "图片、声音和 metadata.csv：可在 mmgan 和别处直接打开的数据集。",
    ),
    "no_storage": (
        "This browser keeps nothing here (private window?), so favourites last until the page is closed.",
        "这个浏览器不保存数据（隐私窗口？），收藏在关闭页面后会消失。",
    ),
    # on the way between two prompts, and through the latents
    "morph": ("From one prompt to another", "从一句话到另一句话"),
    "morph_about": (
        "The latents stay, the prompt changes step by step: drag to see and hear the way between the two.",
        "潜变量不变，提示词逐步变化：拖动滑块，看见并听见两者之间的过渡。",
    ),
    "morph_other": ("Second prompt", "第二句提示词"),
    "morph_go": ("Morph", "渐变"),
    "morph_empty": (
        "Press Morph: the way from the prompt above to this one is made at once, then the slider is instant.",
        "点击“渐变”：从上面的提示词到这一句的过渡会一次生成，之后拖动即时响应。",
    ),
    "morph_slider": ("Way between the two prompts", "两句提示词之间的位置"),
    "morph_at": ("{percent} % towards {prompt}", "已向“{prompt}”过渡 {percent}%"),
    "walk": ("What is shared, what is private", "什么是共享的，什么是独有的"),
    "walk_about": (
        "The prompt stays, the latents move. One code steers both picture and sound; the others steer one each.",
        "提示词不变，潜变量移动。一个编码同时控制图片和声音，另外两个各管一个。",
    ),
    "walk_go": ("Walk the codes", "探索编码"),
    "walk_empty": (
        "Press Walk the codes: three sliders appear, and you see and hear what each of them changes.",
        "点击“探索编码”：会出现三个滑块，可以看到、听到每个滑块改变了什么。",
    ),
    "walk_shared": ("Shared code", "共享编码"),
    "walk_image": ("Picture’s own code", "图片独有的编码"),
    "walk_audio": ("Sound’s own code", "声音独有的编码"),
    "walk_shared_about": ("both change", "两者都变"),
    "walk_image_about": ("only the picture changes", "只有图片变"),
    "walk_audio_about": ("only the sound changes", "只有声音变"),
    "walk_at": ("step {step} of {steps}", "第 {step} 步，共 {steps} 步"),
    "stage_play": ("Play this", "播放"),
    "stage_picture": ("picture, {at}", "图片，{at}"),
    "stage_spectrogram": ("spectrogram, {at}", "频谱图，{at}"),
    "empty": (
        "Type a sentence and press Enter: its pictures and sounds appear here.",
        "输入一句话并按回车：图片和声音会出现在这里。",
    ),
    # what can go wrong
    "bad_count": ("Ask for 1 to {limit} samples at once.", "一次请生成 1 到 {limit} 个样本。"),
    "no_prompt": (
        "Type a sentence that says what to make, such as “a handwritten seven”.",
        "请输入一句话说明要生成什么，例如“手写的七”。",
    ),
    "long_prompt": (
        "The prompt has {count} characters; shorten it to at most {limit}.",
        "提示词有 {count} 个字符；请缩短到 {limit} 个以内。",
    ),
    "bad_seed": ("The seed should be a whole number from 0 to {limit}.", "种子应是 0 到 {limit} 的整数。"),
    "bad_truncation": ("Truncation should be a number from 0 to 1.", "截断值应在 0 到 1 之间。"),
    "too_fast": (
        "That is more than this page can make for one visitor; wait {seconds} s and try again.",
        "请求太快了；请等 {seconds} 秒再试。",
    ),
    "bad_model": ("There is no model {model}; choose one of {models}.", "没有模型 {model}；请选择 {models} 之一。"),
}
