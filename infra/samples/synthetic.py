"""Invented people, examinations and findings. Nothing here is, or is made from, a real record.

Everything is a function of a `random.Random`, so a seed gives the same bytes on every machine.
"""

import datetime
import random

FAMILY = ["Abendrot", "Birkenfeld", "Çelikoglu", "Dąbrowny", "Eichwald", "Fjellström", "Grünspan", "Hallgarten",
          "Ivarsdóttir", "Jasminek", "Kälberer", "Lindenau", "Moorhaven", "Nørrebæk", "Øverland", "Quillfeather"]
GIVEN = ["Ada", "Bjørn", "Chloé", "Dmitri", "Esra", "Felix", "Gwen", "Hüseyin", "Inês", "Jörg", "Kaja", "Zoë"]
BODY_PARTS = ["HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "L SPINE", "LEFT KNEE", "RIGHT SHOULDER"]
MODALITIES = ["CT", "MR", "US", "CR", "NM", "PT"]
IONISING = {"CT", "CR", "NM", "PT"}
IMPLANTS = ["pacemaker", "cochlear implant", "hip prosthesis, left", "aneurysm clip"]
SUBJECTS = ["the lungs", "the liver", "the left kidney", "the meniscus", "the paranasal sinuses", "the aorta"]
VERBS = ["showed", "appeared as", "suggested", "demonstrated", "raised the question of"]
OBJECTS = ["no focal lesion", "a nodule of 4 mm, unchanged", "a small effusion", 'a so-called "double line" sign',
           "mild degenerative change", "a simple cyst, 12 mm"]
ADVICE = ["No follow-up needed.", "Follow-up in 6 months, low dose.", "Correlate with the laboratory, please.",
          "Compare with the examination of last year."]

SERVICES = ["Röntgen Thorax", "CT Schädel", "MRT Knie", "Aufklärungsgespräch", "Ultraschall, Oberbauch"]

REPORT_COLUMNS = ["report_id", "accession_number", "patient_id", "patient_birth_date", "patient_sex", "modality",
                  "body_part", "study_date", "study_time", "reported_at", "image_count", "dose_length_product",
                  "contrast_agent", "radiologist", "findings"]


def day(rng: random.Random, first: str, last: str) -> str:
    start, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    return (start + datetime.timedelta(days=rng.randrange((end - start).days + 1))).isoformat()


def person(rng: random.Random) -> str:
    return f"{rng.choice(FAMILY)}, {rng.choice(GIVEN)}"


def findings(rng: random.Random, characters: int = 120) -> str:
    """Free text of about this number of characters, with commas and quotes."""
    sentences = []
    while sum(map(len, sentences)) < characters - 40:
        subject, verb, thing = rng.choice(SUBJECTS), rng.choice(VERBS), rng.choice(OBJECTS)
        sentences.append(f"{subject.capitalize()} {verb} {thing}. ")
    return "".join(sentences) + rng.choice(ADVICE)


def report(rng: random.Random, number: int) -> dict[str, str]:
    """One good scan report, as text."""
    modality = rng.choice(MODALITIES)
    studied = day(rng, "2026-11-01", "2026-11-20")
    hour, minute, second = rng.randrange(6, 20), rng.randrange(60), rng.randrange(60)
    return {
        "report_id": f"RPT-{number:08}",
        "accession_number": f"{number * 7 + 1000:010}",
        "patient_id": f"MRN{rng.randrange(10**7):07}",
        "patient_birth_date": day(rng, "1931-01-01", "2024-12-31"),
        "patient_sex": rng.choice("FMOU"),
        "modality": modality,
        "body_part": rng.choice(BODY_PARTS),
        "study_date": studied,
        "study_time": f"{hour:02}:{minute:02}:{second:02}",
        "reported_at": f"{studied}T{hour + 3:02}:{minute:02}:{second:02}+01:00",
        "image_count": str(rng.randrange(1, 2400)),
        "dose_length_product": f"{rng.randrange(1_500_000) / 1000:.3f}" if modality in IONISING else "",
        "contrast_agent": rng.choice(["true", "false"]),
        "radiologist": person(rng),
        "findings": findings(rng),
    }


def patient(rng: random.Random, number: int) -> dict:
    """One good patient, as JSON values."""
    family, given = rng.choice(FAMILY), rng.choice(GIVEN)
    return {
        "id": f"MRN{number:07}",
        "name": {"family": family, "given": given},
        "birthDate": day(rng, "1931-01-01", "2024-12-31"),
        "sex": rng.choice("FMOU"),
        "postalCode": f"{rng.randrange(100_000):05}",
        "weightKg": rng.randrange(3_000, 140_000) / 1000,
        "implants": rng.sample(IMPLANTS, rng.choice([0, 0, 0, 1, 2])),
        "updatedAt": f"{day(rng, '2026-10-01', '2026-11-20')}T04:00:00Z",
    }


def appointment(rng: random.Random, number: int) -> dict:
    """One good appointment, as JSON values."""
    minutes = 6 * 60 + number * 20
    return {
        "slot": f"CT1-{number:03}",
        "start": f"2026-11-23T{minutes // 60:02}:{minutes % 60:02}:00+01:00",
        "minutes": rng.choice([10, 15, 20]),
        "patient": f"MRN{rng.randrange(10**7):07}",
        "region": rng.choice(BODY_PARTS),
    }


def charge(rng: random.Random, number: int) -> list[str]:
    """One good charge, in the column order of the billing system."""
    service = rng.choice(SERVICES)
    return [f"{number * 7 + 1000:010}", "1", f"{rng.randrange(1, 21):02}.11.2026", service,
            f"{rng.randrange(2_000, 90_000) / 100:.2f}"]
