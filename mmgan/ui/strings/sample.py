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
        "样本可以偏离典型多远：1 给出模型的全部变化，较小的值更朴素、更稳定。",
    ),
    # what comes back
    "results": ("Results", "结果"),
    "play_all": ("Play all", "全部播放"),
    "play": ("Play sample {index}", "播放样本 {index}"),
    "picture": ("picture of: {prompt}, sample {index}", "图像：{prompt}，样本 {index}"),
    "spectrogram": ("spectrogram of: {prompt}, sample {index}", "频谱图：{prompt}，样本 {index}"),
    "spectrogram_hint": (
        "Time runs to the right, pitch upwards. Click to play from there.",
        "向右是时间，向上是音高。点击即从该处播放。",
    ),
    "save_png": ("Save the picture of sample {index}", "保存样本 {index} 的图像"),
    "save_wav": ("Save the sound of sample {index}", "保存样本 {index} 的声音"),
    "seconds": ("{seconds:.1f} s", "{seconds:.1f} 秒"),
    "ran": (
        "{count} from {model} in {milliseconds:,.0f} ms on {device}, seed {seed}",
        "{model} 的 {count}，在 {device} 上用时 {milliseconds:,.0f} 毫秒，种子 {seed}",
    ),
    "ran_truncation": (", truncation {truncation:g}", "，截断 {truncation:g}"),
    "one_sample": ("1 sample", "1 个样本"),
    "many_samples": ("{count} samples", "{count} 个样本"),
    "empty": (
        "Type a sentence and press Enter: its pictures and sounds appear here.",
        "输入一句话并按回车：图像和声音会出现在这里。",
    ),
    # what can go wrong
    "bad_count": ("Ask for 1 to {limit} samples at once.", "一次请生成 1 到 {limit} 个样本。"),
    "bad_model": ("There is no model {model}; choose one of {models}.", "没有模型 {model}；请选择 {models} 之一。"),
}
