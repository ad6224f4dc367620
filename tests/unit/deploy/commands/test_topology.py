from tests.unit.deploy.commands.conftest import Ecommerce


def test_prints_the_picture_of_everything_or_of_one(ecommerce: Ecommerce) -> None:
    assert ecommerce("topology").out.startswith("flowchart LR\n")
    assert 'cart -- "checkout: started" --> order' in ecommerce("topology", "order").out


def test_prints_the_routes_as_json(ecommerce: Ecommerce) -> None:
    (order,) = ecommerce("topology", "order", "--json").json["components"]
    assert order["table"] == "order"
    assert order["routes"][0]["topic"] == "ecommerce.checkout.started"
    assert len(ecommerce("topology", "--format", "json").json["components"]) > 8


def test_names_the_components_there_are(ecommerce: Ecommerce) -> None:
    done = ecommerce("topology", "nothing")
    assert done.code == 2
    assert done.err.startswith("error: nothing: is none of api, ")
