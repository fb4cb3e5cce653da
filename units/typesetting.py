"""Set a page of HTML, read from standard input, as PDF on standard output, without network: a process of its own."""

import sys

from weasyprint import HTML
from weasyprint.urls import URLFetcher


class Nothing(URLFetcher):
    """Fetches nothing: what is printed stands in the page itself."""

    def fetch(self, url, headers=None):
        raise ValueError(f"A printed page asks for nothing outside itself: {url[:80]}")


def main() -> None:
    page = sys.stdin.buffer.read().decode()
    # No identifier, no date: the same page gives the same file.
    HTML(string=page, url_fetcher=Nothing()).write_pdf(sys.stdout.buffer, pdf_identifier=b"geoinv")


if __name__ == "__main__":
    main()
