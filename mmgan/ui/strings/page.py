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
    "api_bad_request": (
        "This request cannot be read; /gradio_api/info lists what can be asked, and how.",
        "无法读懂这个请求；可以请求什么、怎样请求，见 /gradio_api/info。",
    ),
    "api_not_found": (
        "There is nothing to be had here; /gradio_api/info lists what can be asked.",
        "这里没有任何内容；可以请求什么，见 /gradio_api/info。",
    ),
    "api_gone": (
        "This request is not known here, or no longer; send it again.",
        "这里没有这个请求，或者它已经结束；请重新发送。",
    ),
    "api_many": (
        "{function} takes up to {most} arguments ({names}), not {count}.",
        "{function} 最多接受 {most} 个参数（{names}），而不是 {count} 个。",
    ),
    "api_missing": (
        "{function} needs {name}; give its arguments in this order: {names}.",
        "{function} 需要 {name}；请按此顺序给出参数：{names}。",
    ),
    "api_text": ("{name} should be text; put it in quotes.", "{name} 应为文字；请加上引号。"),
    "api_whole": ("{name} should be a whole number, such as 4.", "{name} 应为整数，例如 4。"),
    "api_number": ("{name} should be a number, such as 0.5.", "{name} 应为数字，例如 0.5。"),
    "api_object": (
        "{name} should be a JSON object of names and values.",
        "{name} 应为由名称和值组成的 JSON 对象。",
    ),
    "busy": (
        "Many people are asking at this moment; wait a few seconds and try again.",
        "此刻请求的人很多；请等几秒再试。",
    ),
    # refusals at the door
    "door_host": (
        "This page does not answer to the name {host}. If the name is yours, start mmgan with --allow-host {host}.",
        "本页面不接受 {host} 这个名称。如果它是您的，启动 mmgan 时请加上 --allow-host {host}。",
    ),
    "door_no_host": (
        "The request does not say which address it is for, so it is not answered.",
        "请求没有说明要访问哪个地址，因此不予回答。",
    ),
    "door_origin": (
        "Another website sent this, so nothing was done. If mmgan is behind another server, start it with --proxy and "
        "the address of that server, or with --allow-host and the name of the site.",
        "这个请求来自另一个网站，因此什么都没有做。如果 mmgan 前面还有一台服务器，启动时请加上 --proxy"
        "（该服务器的地址）或 --allow-host（网站的名称）。",
    ),
    "door_closed": ("mmgan does not use this, so it is closed.", "mmgan 用不到这个地址，因此它是关闭的。"),
    "door_not_found": ("There is nothing here.", "这里什么都没有。"),
    "door_json": (
        "Send the question as JSON, with Content-Type: application/json.",
        "请以 JSON 发送请求，并注明 Content-Type: application/json。",
    ),
    "door_files": (
        "Files are not sent in a question, and mmgan fetches nothing; add them under “Your data”.",
        "请求里不能带文件，mmgan 也不会去下载任何东西；请在“我的数据”里添加。",
    ),
    "login_first": ("Log in first.", "请先登录。"),
    "login_wait": (
        "Too many wrong passwords; wait {seconds} {seconds|second|seconds} before the next one.",
        "密码错误次数太多；请等 {seconds} 秒再试。",
    ),
    "logout_question": ("Log out of mmgan in this browser?", "要在这个浏览器里退出 mmgan 吗？"),
    "logout": ("Log out", "退出登录"),
    "door_large": (
        "The question is too large; at most {size} are read, so send less.",
        "请求太大，最多读取 {size}；请少发一些。",
    ),
    "own_busy": (
        "Much of what you asked for is still being worked on; wait a few seconds and try again.",
        "你之前的请求还有不少正在处理；请等几秒再试。",
    ),
}
