"""What people call a language in the first row of a table: its code, its English name, its own name, or its side."""

import re
from collections.abc import Callable, Sequence

NAMES = """
aa aar afar | ab abk abkhazian | ae ave avestan | af afr afrikaans | ak aka akan | am amh amharic | an arg
aragonese | ar ara arabic العربية | as asm assamese | av ava avaric | ay aym aymara | az aze azerbaijani | ba bak
bashkir | be bel belarusian | bg bul bulgarian български | bh bih bihari | bi bis bislama | bm bam bambara | bn
ben bengali | bo bod tib tibetan | br bre breton | bs bos bosnian | ca cat catalan valencian català | ce che
chechen | ch cha chamorro | co cos corsican | cr cre cree | cs ces cze czech čeština česky | cu chu church_slavic
old_church_slavonic | cv chv chuvash | cy cym wel welsh | da dan danish dansk | de deu ger german deutsch | dv div
divehi dhivehi maldivian | dz dzo dzongkha | ee ewe | el ell gre greek ελληνικά | en eng english | eo epo
esperanto | es spa spanish castilian español castellano | et est estonian eesti | eu eus baq basque euskara | fa
fas per persian farsi فارسی | ff ful fulah | fi fin finnish suomi | fj fij fijian | fo fao faroese | fr fra fre
french français | fy fry western_frisian frisian | ga gle irish | gd gla gaelic scottish_gaelic | gl glg galician
galego | gn grn guarani | gu guj gujarati | gv glv manx | ha hau hausa | he heb hebrew עברית | hi hin hindi हिन्दी
| ho hmo hiri_motu | hr hrv croatian hrvatski | ht hat haitian haitian_creole | hu hun hungarian magyar | hy hye
arm armenian | hz her herero | ia ina interlingua | id ind indonesian bahasa_indonesia | ie ile interlingue
occidental | ig ibo igbo | ii iii sichuan_yi nuosu | ik ipk inupiaq | io ido | is isl ice icelandic | it ita
italian italiano | iu iku inuktitut | ja jpn japanese 日本語 | jv jav javanese | ka kat geo georgian | kg kon kongo |
ki kik kikuyu gikuyu | kj kua kuanyama kwanyama | kk kaz kazakh | kl kal kalaallisut greenlandic | km khm
central_khmer | kn kan kannada | ko kor korean 한국어 | kr kau kanuri | ks kas kashmiri | ku kur kurdish | kv kom
komi | kw cor cornish | ky kir kirghiz kyrgyz | la lat latin | lb ltz luxembourgish letzeburgesch | lg lug ganda |
li lim limburgan limburger limburgish | ln lin lingala | lo lao | lt lit lithuanian lietuvių | lu lub luba-katanga
| lv lav latvian latviešu | mg mlg malagasy | mh mah marshallese | mi mri mao maori | mk mkd mac macedonian | ml
mal malayalam | mn mon mongolian | mr mar marathi | ms msa may malay | mt mlt maltese | my mya bur burmese | na
nau nauru | nb nob norwegian_bokmål bokmål | nd nde ndebele north_ndebele | ne nep nepali | ng ndo ndonga | nl nld
dut dutch flemish nederlands | nn nno norwegian_nynorsk nynorsk | no nor norwegian norsk | nr nbl south_ndebele |
nv nav navajo navaho | ny nya chichewa chewa nyanja | oc oci occitan | oj oji ojibwa | om orm oromo | or ori oriya
| os oss ossetian ossetic | pa pan panjabi punjabi | pi pli pali | pl pol polish polski | ps pus pushto pashto |
pt por portuguese português | qu que quechua | rm roh romansh | rn run rundi | ro ron rum romanian moldavian
moldovan română | ru rus russian русский | rw kin kinyarwanda | sa san sanskrit | sc srd sardinian | sd snd sindhi
| se sme northern_sami | sg sag sango | si sin sinhala sinhalese | sk slk slo slovak slovenčina | sl slv slovenian
| sm smo samoan | sn sna shona | so som somali | sq sqi alb albanian | sr srp serbian | ss ssw swati | st sot
sotho | su sun sundanese | sv swe swedish svenska | sw swa swahili | ta tam tamil | te tel telugu | tg tgk tajik |
th tha thai ไทย ภาษาไทย | ti tir tigrinya | tk tuk turkmen | tl tgl tagalog | tn tsn tswana | to ton tonga | tr
tur turkish türkçe | ts tso tsonga | tt tat tatar | tw twi | ty tah tahitian | ug uig uighur uyghur | uk ukr
ukrainian українська | ur urd urdu | uz uzb uzbek | ve ven venda | vi vie vietnamese tiếng_việt | vo vol volapük |
wa wln walloon | wo wol wolof | xh xho xhosa | yi yid yiddish | yo yor yoruba | za zha zhuang chuang | zh zho chi
chinese cmn mandarin 中文 汉语 漢語 | zu zul zulu | grc ancient_greek
"""
"""By ISO 639-1 code, the other codes and the English names of languages, and what common ones call themselves."""
CODES = {
    name.translate(str.maketrans("_-", "  ")): entry.split()[0] for entry in NAMES.split("|") for name in entry.split()
}
SIDES = {"source": "source", "src": "source", "target": "target", "trg": "target", "tgt": "target"}
GENERIC = re.compile(r"[ _.:-]?\b(text|txt|sentences?|sents?|languages?|lang|column|col)\b[ _.:-]?")
TAGGED = re.compile(r"([a-z]{2,3})(-([a-z]{2}|[a-z]{4}|\d{3,4}))+")
"""A code with its script, region or variant: zh-Hant-TW."""


def code_of(word: str) -> str:
    """Return the code of the language that a word names (de, zh-Hant-TW, deu, German, Deutsch); nothing if none."""
    bare = re.sub(r" *\(.*\)$", "", _bare(word))
    tagged = TAGGED.fullmatch(bare)
    return CODES.get(tagged[1] if tagged else bare.replace("-", " "), "")


def is_name(cell: str) -> bool:
    """Tell whether a cell can be nothing but the name of a language: a code as de, but not De or dan, or a name."""
    word = cell.strip()
    return bool(code_of(word)) and (len(word) > 3 or not word.isascii() or (len(word) == 2 and word.islower()))


def find_columns(cells: Sequence[str], source: str, target: str) -> tuple[int, int] | None:
    """Return which of the cells names the source, and which the target; None where they do not name both.

    A cell that has the very name of the config goes before one that names the language otherwise (German for de), and
    that before the name of the side (source, src).
    """
    here, there = _find(cells, source, "source"), _find(cells, target, "target")
    return None if here is None or there is None or here == there else (here, there)


def _find(cells: Sequence[str], language: str, side: str) -> int | None:
    ways: list[tuple[Callable[[str], str], str]] = [
        (_plain, _plain(language)),
        (_bare, _plain(language)),
        (code_of, code_of(language)),
        (lambda cell: SIDES.get(_bare(cell), ""), side),
    ]
    for name_of, wanted in ways:
        found = [place for place, cell in enumerate(cells) if wanted and name_of(cell) == wanted]
        if len(found) == 1:
            return found[0]
    return None


def _plain(word: str) -> str:
    return word.strip().strip('"').casefold().replace("_", "-")


def _bare(word: str) -> str:
    """Return a word without what says that it names a column."""
    return GENERIC.sub("", _plain(word))
