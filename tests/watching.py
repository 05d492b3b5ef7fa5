"""What tests in a real browser wait for and type."""

from playwright.sync_api import Page, expect

PLOTS = (".st-key-curve-loss", ".st-key-curve-accuracy")


def settle(page: Page) -> None:
    """Wait until the server has drawn the page: what is typed before is lost."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def fill(page: Page, label: str, value: str) -> None:
    """Type into a number field."""
    settle(page)
    field = page.get_by_role("spinbutton", name=label)
    field.fill(value)
    field.press("Enter")
    settle(page)


def expect_points(page: Page, timeout_ms: int = 20_000) -> None:
    """Wait until both plots show a mark (check pictures, after an epoch) and a line (training pictures)."""
    for plot in PLOTS:
        expect(page.locator(plot).locator(".scatterlayer path.point").first).to_be_visible(timeout=timeout_ms)
        expect(page.locator(plot).locator(".scatterlayer path.js-line").first).to_be_attached()
