"""What each setting of a training is, and what more or less of it does: key -> (English, Simplified Chinese).

Keys: ``set_NAME`` the setting's title, ``set_NAME_note`` what it is, ``set_NAME_more`` and ``set_NAME_less`` what a
higher and a lower value will do, ``set_NAME_CHOICE`` what a choice will do, ``set_NAME_CHOICE_title`` its long name.
"""

TEXTS: dict[str, tuple[str, str]] = {
    "set_preset": ("Size", "模型大小"),
    "set_preset_tiny": (
        "32 pixels: learns live on a laptop without a graphics card.",
        "32 像素：没有显卡的笔记本也能现场训练。",
    ),
    "set_preset_base": (
        "64 pixels: some ten times as much work for each step; wants patience or a graphics card.",
        "64 像素：每一步的计算量约为十倍，需要耐心或显卡。",
    ),
    "set_preset_large": ("128 pixels: needs a graphics card.", "128 像素：需要显卡。"),
    "set_loss": ("Loss", "损失函数"),
    "set_loss_of": ("{title} ({paper})", "{title}（{paper}）"),
    "set_loss_minimax_title": ("Minimax binary cross-entropy", "极小极大二元交叉熵"),
    "set_loss_non-saturating_title": ("Non-saturating", "非饱和"),
    "set_loss_least-squares_title": ("Least squares (MSE)", "最小二乘（MSE）"),
    "set_loss_hinge_title": ("Hinge", "铰链（hinge）"),
    "set_loss_wasserstein_title": ("Wasserstein with gradient penalty", "Wasserstein，带梯度惩罚"),
    "set_loss_relativistic_title": ("Relativistic pairing with R1 and R2", "相对论配对，带 R1 和 R2"),
    "set_loss_minimax": (
        "The first GAN's. While the discriminator wins, the generator hardly learns: watch its line go flat.",
        "最早的 GAN 用的。判别器占上风时生成器几乎学不到东西：看它的曲线变平。",
    ),
    "set_loss_non-saturating": (
        "The textbook's remedy: the generator learns most where it fools nobody.",
        "教科书里的改进：骗不过判别器的地方，生成器学得最多。",
    ),
    "set_loss_least-squares": (
        "Scores are pulled to 1 and 0; also samples far from the data keep a gradient.",
        "把得分拉向 1 和 0；离真实数据很远的样本也有梯度。",
    ),
    "set_loss_hinge": (
        "The discriminator stops caring once it is sure enough; common in large GANs.",
        "判别器足够有把握后就不再追究；大型 GAN 常用。",
    ),
    "set_loss_wasserstein": (
        "The discriminator measures a distance and its slope is held near 1; steady but slower.",
        "判别器衡量距离，斜率保持在 1 附近；稳定但较慢。",
    ),
    "set_loss_relativistic": (
        "Each sample is compared with a real one. The steadiest and quickest here, so it is the default.",
        "每个样本都和一个真实例子比较。在这里最稳、最快，因此是默认。",
    ),
    "set_learning_rate": ("Learning rate", "学习率"),
    "set_learning_rate_note": ("How far both networks move at each step.", "两个网络每一步走多远。"),
    "set_learning_rate_more": ("It will learn faster and may fall apart.", "会学得更快，但可能崩溃。"),
    "set_learning_rate_less": ("It will learn more slowly and more steadily.", "会学得更慢、更稳。"),
    "set_batch_size": ("Batch size", "批量大小"),
    "set_batch_size_note": ("Pairs looked at in one step; a multiple of 4.", "每一步看多少对样本；须为 4 的倍数。"),
    "set_batch_size_more": (
        "Steps will be steadier, slower, and need more memory.",
        "每一步更稳、更慢，占用更多内存。",
    ),
    "set_batch_size_less": ("Steps will be quicker and rougher.", "每一步更快、更粗糙。"),
    "set_gamma": ("Gamma", "Gamma"),
    "set_gamma_note": (
        "Weight of the penalties R1 and R2; 0 chooses one that suits the data.",
        "R1 和 R2 惩罚项的权重；0 表示按数据自动选择。",
    ),
    "set_gamma_more": ("Discriminators will be smoother: steadier and slower.", "判别器更平滑：更稳、更慢。"),
    "set_gamma_less": ("It will choose a weight that suits the data.", "会按数据自动选择权重。"),
    "set_penalty": ("Penalty", "惩罚项"),
    "set_penalty_note": ("What keeps the discriminators smooth.", "用什么让判别器保持平滑。"),
    "set_penalty_auto": ("What the loss's paper uses.", "按损失函数的论文选择。"),
    "set_penalty_none": ("Nothing holds the discriminators: expect a collapse.", "判别器不受约束：很可能崩溃。"),
    "set_penalty_r1": ("Smooth around real data.", "在真实数据附近平滑。"),
    "set_penalty_r1r2": ("Smooth around real and generated data.", "在真实和生成的数据附近都平滑。"),
    "set_penalty_gp": ("A slope near 1 between real and generated data.", "真实与生成数据之间的斜率接近 1。"),
    "set_optimizer": ("Optimiser", "优化器"),
    "set_optimizer_note": ("How gradients become steps.", "怎样把梯度变成更新。"),
    "set_optimizer_adam": ("Each weight has a step size of its own.", "每个权重有自己的步长。"),
    "set_optimizer_adamw": ("Adam, with weights pulled to zero a little.", "Adam，并让权重稍微趋向零。"),
    "set_optimizer_sgd": (
        "Plain gradient descent; needs a far higher learning rate.",
        "普通梯度下降；需要高得多的学习率。",
    ),
    "set_final_rate": ("Final rate", "最终学习率"),
    "set_final_rate_note": (
        "The learning rate falls to this share of itself at the end.",
        "学习率到最后降到这个比例。",
    ),
    "set_final_rate_more": ("It will keep moving to the end.", "直到最后仍在较快地变化。"),
    "set_final_rate_less": ("It will settle more at the end.", "最后会更加稳定。"),
    "set_joint_weight": ("Joint critic", "联合判别器"),
    "set_joint_weight_note": (
        "Weight of the critic that sees the picture and the sound together.",
        "同时看图片和听声音的判别器的权重。",
    ),
    "set_joint_weight_more": ("Picture and sound will be matched more strictly.", "图片和声音的搭配更严格。"),
    "set_joint_weight_less": ("At 0, picture and sound learn apart.", "为 0 时，图片和声音各学各的。"),
    "set_twin_weight": ("Twin critics", "双样本判别器"),
    "set_twin_weight_note": (
        "Weight of the critics that see two samples of one concept, and so notice a lack of variety.",
        "同时看同一概念的两个样本的判别器的权重，能发现样本缺少变化。",
    ),
    "set_twin_weight_more": ("Samples of one prompt will differ more.", "同一提示词的样本差异更大。"),
    "set_twin_weight_less": (
        "At 0, samples of one prompt may all look alike.",
        "为 0 时，同一提示词的样本可能都一样。",
    ),
    "set_wrong_caption_weight": ("Wrong captions", "错误的说明"),
    "set_wrong_caption_weight_note": (
        "Weight of real pictures and sounds shown under a wrong caption, to be called wrong.",
        "给真实的图片和声音配上错误的说明，让判别器识破；这里是这一项的权重。",
    ),
    "set_wrong_caption_weight_more": ("Prompts will count for more.", "会更重视提示词。"),
    "set_wrong_caption_weight_less": ("At 0, prompts may be ignored.", "为 0 时，提示词可能被忽略。"),
    "set_generator_contrastive_weight": ("Caption guidance", "说明引导"),
    "set_generator_contrastive_weight_note": (
        "The generator's wish to be recognised by its caption, strong at first.",
        "鼓励生成器做出能看出对应哪句说明的作品；这里是这一项的权重，开始时最强。",
    ),
    "set_generator_contrastive_weight_more": (
        "It will be right sooner, and varied later.",
        "更早做对，但更晚才变得多样。",
    ),
    "set_generator_contrastive_weight_less": ("It will take longer until prompts work.", "提示词要更久才起作用。"),
    "set_latent_weight": ("Noise read back", "读回噪声"),
    "set_latent_weight_note": (
        "Weight of reading the noise back from what it made, so that it is not ignored.",
        "从生成结果读回噪声的权重，使噪声不被忽略。",
    ),
    "set_latent_weight_more": ("Samples will vary more with the seed.", "样本随种子变化更多。"),
    "set_latent_weight_less": ("At 0, the seed may change little.", "为 0 时，换种子可能变化很小。"),
    "set_text_noise": ("Noise on captions", "说明噪声"),
    "set_text_noise_note": ("Added to captions, so that new phrasings work.", "加在说明上，使新的说法也能用。"),
    "set_text_noise_more": ("New phrasings will work better, details worse.", "新说法更好用，细节变差。"),
    "set_text_noise_less": ("Only phrasings like the captions will work.", "只有和说明相近的说法好用。"),
    "set_augment_image": ("Changed pictures", "图片增强"),
    "set_augment_image_note": (
        "How often pictures are shifted and recoloured before the discriminator sees them; -1 decides by their number.",
        "图片送进判别器之前被平移、变色的概率；-1 表示按数量自动决定。",
    ),
    "set_augment_image_more": ("It will learn more from few pictures.", "图片少时能学到更多。"),
    "set_augment_image_less": ("The discriminator may learn few pictures by heart.", "图片少时判别器可能死记硬背。"),
    "set_augment_audio": ("Changed sounds", "声音增强"),
    "set_augment_audio_note": (
        "How often sounds are moved in time and pitch before the discriminator hears them; -1 decides by their number.",
        "声音送进判别器之前被移动时间、改变音高的概率；-1 表示按数量自动决定。",
    ),
    "set_augment_audio_more": ("It will learn more from few sounds.", "声音少时能学到更多。"),
    "set_augment_audio_less": ("The discriminator may learn few sounds by heart.", "声音少时判别器可能死记硬背。"),
    "set_ema_images": ("Averaging (EMA)", "权重平均（EMA）"),
    "set_ema_images_note": (
        "Samples come from a moving average of the generator's weights; after so many examples a weight counts half.",
        "样本来自生成器权重的指数移动平均（EMA）；每经过这么多个例子，旧权重的影响减半。",
    ),
    "set_ema_images_more": ("Samples will be steadier and lag behind.", "样本更稳定，但更滞后。"),
    "set_ema_images_less": ("Samples will follow every swing of the training.", "样本会跟着训练的每次摆动变化。"),
    "set_checkpoint_seconds": ("Seconds between checkpoints", "检查点间隔（秒）"),
    "set_checkpoint_seconds_note": ("What a power cut may cost at most.", "断电时最多丢失这么长时间的训练。"),
    "set_checkpoint_seconds_more": ("A power cut will cost more.", "断电时会丢失更多进度。"),
    "set_checkpoint_seconds_less": ("The disk will be busier.", "磁盘会更忙。"),
    "set_seed": ("Seed", "种子"),
    "set_seed_note": (
        "Of weights and batches: the same seed trains the same.",
        "决定权重和批次：同样的种子，同样的训练。",
    ),
    "set_seed_more": ("Other weights and batches to start from.", "换一组初始权重和批次。"),
    "set_seed_less": ("Other weights and batches to start from.", "换一组初始权重和批次。"),
}

# In the order in which the form shows them.
ADVANCED = (
    "learning_rate", "batch_size", "penalty", "gamma", "optimizer", "final_rate", "joint_weight", "twin_weight",
    "wrong_caption_weight", "generator_contrastive_weight", "latent_weight", "text_noise", "augment_image",
    "augment_audio", "ema_images", "checkpoint_seconds", "seed",
)  # fmt: skip
