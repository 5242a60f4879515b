"""What a page looks like, measured."""


def watch_shifts(page):
    """Begins to note what moves by itself; :func:`shifts` says how far it was."""
    page.evaluate(
        """() => { window.shifts = []; new PerformanceObserver((list) => window.shifts.push(...list.getEntries()
            .filter((e) => !e.hadRecentInput).map((e) => e.value))).observe({type: "layout-shift"}); }"""
    )


def shifts(page):
    """The browser's own layout shift score since :func:`watch_shifts`."""
    return page.evaluate("window.shifts.reduce((a, b) => a + b, 0)")


def contrast(page):
    """Texts whose colour has less than 4.5 to 1 against what lies behind them (WCAG 2, level AA)."""
    return page.evaluate(
        """() => {
            const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            const rgba = (colour) => {
                context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
                const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
            };
            const over = (top, under) => top.map((v, i) => i < 3 ? v * top[3] + under[i] * (1 - top[3]) : 1);
            const light = (c) => c.slice(0, 3).map((v) => v / 255)
                .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
            const behind = (e) => {
                const layers = [];
                for (let at = e; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
                return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
            };
            const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
            return [...document.querySelectorAll(".gradio-container *")].filter((e) => e.checkVisibility() && own(e)
                && !e.closest(".mm-sr, noscript, .sr-only") && e.getBoundingClientRect().width > 1).map((e) => {
                    const ground = e.closest(".mm-ask, .mm-panel") && behind(e).every((v) => v === 255)
                        ? rgba(getComputedStyle(document.documentElement).getPropertyValue("--mm-card")) : behind(e);
                    const ink = over(rgba(getComputedStyle(e).color), ground);
                    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
                    return [(a + 0.05) / (b + 0.05), e.className, e.textContent.slice(0, 40)];
                }).filter(([ratio]) => ratio < 4.5);
        }"""
    )


def unnamed(page):
    """Controls that a screen reader has no name for, and ids that occur twice."""
    return page.evaluate(
        """() => {
            const named = (e) => e.ariaLabel || e.title || e.innerText?.trim() || e.labels?.length || e.placeholder;
            const controls = [...document.querySelectorAll("button, a, select, textarea, input:not([type=hidden])")];
            const ids = [...document.querySelectorAll("[id]:not([id=''])")].map((e) => e.id);
            return [...controls.filter((e) => e.checkVisibility() && e.ariaHidden !== "true" && !named(e))
                .map((e) => e.outerHTML.slice(0, 200)), ...ids.filter((id, i) => ids.indexOf(id) !== i)];
        }"""
    )
