"""What the sets of make_own_sets.py are made of, a file a line beneath its caption."""

# Stamps of Tux Paint, and after "gcompris" files of GCompris; of each the photograph, the recording, or both.
ANIMALS = """
a songbird
    animals/birds/blackbird
    animals/birds/lark
    animals/birds/cuckoo
    animals/birds/magpie
    animals/birds/quetzal
    animals/birds/crow
a duck
    animals/birds/duck
    animals/birds/drake
    animals/birds/gander
    gcompris explore_farm_animals/resource/animals/duck
a chicken
    animals/birds/hen
    animals/birds/rooster
    animals/birds/turkey
    animals/birds/chicken_profile
    animals/birds/guineafowl
    gcompris explore_farm_animals/resource/animals/chicken
    gcompris explore_farm_animals/resource/animals/chickens
an owl
    animals/birds/owl
    gcompris explore_farm_animals/resource/animals/owl
a cow
    animals/mammals/bovines/cow
    animals/mammals/bovines/cow_white
    animals/mammals/bovines/bull
    animals/mammals/bovines/zebu
    animals/mammals/bovines/yak
    gcompris explore_farm_animals/resource/animals/cow
    gcompris explore_world_animals/resource/animals/bison
a sheep
    animals/mammals/bovines/sheep
    animals/mammals/bovines/sheep_lamb
    animals/mammals/bovines/ram
    animals/mammals/bovines/goat
    animals/mammals/bovines/mountaingoat
    gcompris explore_farm_animals/resource/animals/sheep
a pig
    animals/mammals/pig
    animals/mammals/pig_golden
    animals/mammals/pig_golden2
    animals/mammals/wildboar
    gcompris explore_farm_animals/resource/animals/pig
a horse
    animals/mammals/equines/horse
    animals/mammals/equines/donkey
    animals/mammals/equines/donkey_eating
    animals/mammals/equines/zebra
    gcompris explore_farm_animals/resource/animals/horse
a big cat
    animals/mammals/cats/lion
    animals/mammals/cats/lion-2
    animals/mammals/cats/tiger
    animals/mammals/cats/tiger_sumatran
    gcompris explore_world_animals/resource/animals/jaguar
a dog
    animals/mammals/dogs/dog
    animals/mammals/dogs/fox
    animals/mammals/dogs/dingo
    gcompris explore_farm_animals/resource/animals/dog
    gcompris memory-sound/resource/LRBark_1_LA_cut
    gcompris memory-sound/resource/LRBark_3_LA_cut
"""

# Files of the drum kits, and those of Sonic Pi without a folder. Different instruments, not one hit harder and softer.
PERCUSSION = """
a kick drum
    BJA_Pacific/BD_05.aiff
    ForzeeStereo/Kick-3.wav
    The Black Pearl 1.0/PearlKick-Hard.wav
    Millo_MultiLayered2/bd_03.flac
    Millo_MultiLayered3/bd_02.flac
    VariBreaks/VP Kick 2.flac
    ElectricEmpireKit/EE_Kick_Low_1.flac
    bd_haus.flac
    bd_808.flac
a snare drum
    BJA_Pacific/SN_05.aiff
    BJA_Pacific/SN3_03.aiff
    ForzeeStereo/Snare-3.wav
    The Black Pearl 1.0/PearlSnare-Hard.wav
    Millo_MultiLayered2/rsnare_03.flac
    VariBreaks/VP Snare 1.flac
    Millo_MultiLayered3/sd_04.flac
    drum_snare_hard.flac
    sn_dub.flac
a tom
    BJA_Pacific/TM_05.aiff
    BJA_Pacific/TM2_05.aiff
    ForzeeStereo/TomMid-3.wav
    ForzeeStereo/TomLow-3.wav
    The Black Pearl 1.0/PearlTom1-Hard.wav
    Millo_MultiLayered2/floortom_03.flac
    Millo_MultiLayered3/t1_02.flac
    drum_tom_hi_hard.flac
    drum_tom_lo_hard.flac
a closed hi-hat
    BJA_Pacific/HH_04.aiff
    ForzeeStereo/HiHatClosed-3.wav
    The Black Pearl 1.0/SabianHatClosed-Hard.wav
    Millo_MultiLayered2/hhclosed_03.flac
    ColomboAcousticDrumkit/hihat-closed-4.flac
    VariBreaks/VP Hat 1 Cl.flac
    HardElectro1/Hard_CHH_01.flac
    drum_cymbal_closed.flac
    drum_cymbal_pedal.flac
a crash cymbal
    ForzeeStereo/Crash18-2.wav
    ForzeeStereo/Splash10-3.wav
    The Black Pearl 1.0/SabianCrash-Hard.wav
    The Black Pearl 1.0/ZildjianSplash-Hard.wav
    Millo_MultiLayered2/crash_03.flac
    ColomboAcousticDrumkit/crash20i__crash.flac
    Millo-Drums_v.1/crash.flac
    drum_cymbal_hard.flac
    drum_splash_hard.flac
a cowbell
    BJA_Pacific/CB_02.aiff
    BJA_Pacific/CB2_02.aiff
    ForzeeStereo/AgogoHigh-3.wav
    ForzeeStereo/AgogoLow-3.wav
    Gimme A Hand 1.0/Cowbell-Hard.wav
    The Black Pearl 1.0/Cowbell-Hard.wav
    Millo-Drums_v.1/misc_Cowbell.flac
    drum_cowbell.flac
clapping hands
    Gimme A Hand 1.0/HandClap-Hard.wav
    Gimme A Hand 1.0/HandClap-Softest.wav
    The Black Pearl 1.0/HandClap.wav
    Millo_MultiLayered2/clap_02.flac
    Millo_MultiLayered2/clap_04.flac
    ElectricEmpireKit/EE_Clap.flac
    HardElectro1/Clap_1.flac
    Millo-Drums_v.1/clap_Dry_c.flac
"""


def by_caption(text: str) -> dict[str, list[str]]:
    """Captions and their lines."""
    found: dict[str, list[str]] = {}
    for line in text.strip().splitlines():
        if not line.startswith(" "):
            lines = found.setdefault(line, [])
        else:
            lines.append(line.strip())
    return found
