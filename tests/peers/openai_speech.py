"""openai-python's transcriptions, as its users write them, against the transcription server."""

import sys

import openai
from openai import AsyncOpenAI, OpenAI
from scenes import play

MODEL = "whisper-1"


def forms(url, key, path):
    """The three forms that are served."""
    create = OpenAI(base_url=url, api_key=key, max_retries=0).audio.transcriptions.create
    with open(path, "rb") as file:  # noqa: PTH123 - as users write it
        short = create(model=MODEL, file=file)
    long = create(model=MODEL, file=("talk.wav", open(path, "rb")), response_format="verbose_json", language="en")  # noqa: PTH123, SIM115
    text = create(model=MODEL, file=open(path, "rb"), response_format="text")  # noqa: PTH123, SIM115
    return [short.text, long.text, long.language, type(text).__name__, text]


def stream(url, key, path):
    """Events."""
    create = OpenAI(base_url=url, api_key=key, max_retries=0).audio.transcriptions.create
    events = list(create(model="gpt-4o-transcribe", file=open(path, "rb"), stream=True))  # noqa: PTH123, SIM115
    return [[event.type for event in events], events[-1].text]


def refusals(url, key, path):
    """What is raised for what is not served."""
    raised = []
    for options, more in [
        ({"api_key": key}, {"response_format": "srt"}),
        ({"api_key": "wrong"}, {}),
        ({"api_key": key, "default_headers": {"Host": "evil.example"}}, {}),
    ]:
        client = OpenAI(base_url=url, max_retries=0, **options)
        try:
            client.audio.transcriptions.create(model=MODEL, file=open(path, "rb"), **more)  # noqa: PTH123, SIM115
        except openai.APIStatusError as error:
            raised.append([type(error).__name__, error.status_code])
    return raised


async def asynchronous(url, key, path):
    """The other client."""
    async with AsyncOpenAI(base_url=url, api_key=key, max_retries=0) as client:
        found = await client.audio.transcriptions.create(model=MODEL, file=("a.wav", open(path, "rb")))  # noqa: ASYNC230, PTH123, SIM115
    return found.text


play([forms, stream, refusals, asynchronous], *sys.argv[1:])
