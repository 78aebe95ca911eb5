"""What the media of a question may be, at the edge."""

import json

import gateway_samples as samples

QUESTIONS = "/api/v1/admin/questions"
QUESTION = {"type": "text", "text": "Why?"}


async def test_the_media_of_a_question_are_files_and_addresses(gateway, fakes):
    fakes.answers |= samples.everything()
    media = [{"file_id": samples.EXAM, "alt": "A cell", "width": 300}, {"url": "cell.png"}, "cell.png"]
    reply = await gateway.admin.post(QUESTIONS, json=QUESTION | {"media": media})
    assert reply.status_code == 201, reply.text
    assert json.loads(fakes.asked("Content/PutQuestion").content.media_json) == media


async def test_other_media_are_refused_where_they_stand(gateway, fakes):
    for wrong in (3, {"file_id": "f1"}, {"alt": 1}, None):
        reply = await gateway.admin.post(QUESTIONS, json=QUESTION | {"media": [wrong]})
        assert reply.status_code == 422, wrong
        assert reply.json()["errors"][0]["loc"][:3] == ["body", "media", 0]
