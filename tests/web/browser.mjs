// Drives Chromium for the tests: one order a line on standard input, one answer a line on standard output,
// both JSON. Nothing leaves this machine: what a page asks for is answered here or refused, and noted.
import puppeteer from 'puppeteer-core';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';

const SHOWN = ['image', 'media', 'texttrack'];	// what an entry may show
const READER = 'http://reader.test/';
const inPage = readFileSync(new URL('./page.js', import.meta.url), 'utf8');
const browser = await puppeteer.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
	args: ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage',
		'--disable-component-update', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
});

// A page that notes what runs in it and what it asks for. allowed: addresses that are let through.
async function open(allowed) {
	const page = await browser.newPage(), asked = [];
	await page.setBypassCSP(true);
	await page.setRequestInterception(true);
	page.on('request', r => {
		const url = r.url();
		if (url === READER && r.isNavigationRequest() && r.frame() === page.mainFrame())
			return r.respond({ contentType: 'text/html', body: '<!DOCTYPE html><title>reader</title><body></body>' });
		if (url === READER + 'favicon.ico')
			return r.respond({ status: 404 });
		if (allowed.some(a => url === a))
			return r.continue();
		if (!url.startsWith('about:') && !url.startsWith('data:image/'))
			asked.push({ url, kind: SHOWN.includes(r.resourceType()) ? 'shown' : r.resourceType() });
		// A refused navigation would leave an error page: this one stays.
		return r.isNavigationRequest() ? r.respond({ status: 204 }) : r.abort();
	});
	page.on('dialog', d => { asked.push({ url: 'dialog', kind: 'dialog' }); d.dismiss(); });
	await page.evaluateOnNewDocument(() => {
		const note = n => { try { (top.hits ??= []).push(n ?? 0); } catch { } };
		for (const name of ['hit', 'alert', 'confirm', 'prompt', 'print'])
			window[name] = note;
	});
	return { page, asked };
}

const orders = {
	// Texts, each inserted in every way: what ran, what was asked for, names that were taken, links that lead elsewhere.
	async insert({ texts, step = 40 }) {
		const { page, asked } = await open([]);
		await page.goto(READER);
		await page.evaluate(inPage);
		const found = [];
		for (let i = 0; i < texts.length; i += step)
			found.push(...await page.evaluate(t => window.courantTest.insert(t), texts.slice(i, i + step)));
		await new Promise(done => setTimeout(done, 300));
		const hits = await page.evaluate(() => window.hits ?? []);
		await page.close();
		return { hits, asked, found };
	},
	// The same texts as trees, by every way of reading them: those that differ.
	async trees({ texts, step = 500 }) {
		const { page } = await open([]);
		await page.goto(READER);
		await page.evaluate(inPage);
		const found = [];
		for (let i = 0; i < texts.length; i += step)
			found.push(...await page.evaluate(t => window.courantTest.trees(t), texts.slice(i, i + step)));
		await page.close();
		return { found };
	},
	// What an output (RSS, Atom, JSON Feed, JSON Lines) holds: its HTML, its addresses, its texts.
	async read({ name, text }) {
		const { page } = await open([]);
		await page.goto(READER);
		await page.evaluate(inPage);
		const found = await page.evaluate((n, t) => window.courantTest.read(n, t), name, text);
		await page.close();
		return found;
	},
	// A letter as a mail program shows it: faint texts, elements wider than the page, what it asks for, its links.
	async letter({ html, width, dark = false, picture }) {
		const { page, asked } = await open([]);
		await page.setViewport({ width, height: 900 });
		await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
		await page.goto(READER);
		await page.setContent(html, { waitUntil: 'domcontentloaded' });
		await page.evaluate(inPage);
		const seen = await page.evaluate(() => window.courantTest.letter());
		const hits = await page.evaluate(() => window.hits ?? []);
		if (picture)
			await page.screenshot({ path: picture, fullPage: true });
		await page.close();
		return { ...seen, asked, hits };
	},
	// A page as it is served, as letter() shows one. fill: texts by the names of inputs; press: the form is sent by
	// its button, and `then` is the text of the answer.
	async visit({ url, allowed, width = 1200, dark = false, picture, fill = {}, press = false }) {
		const { page, asked } = await open([url, ...allowed]);
		await page.setViewport({ width, height: 900 });
		await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
		const answer = await page.goto(url, { waitUntil: 'networkidle0' });
		const text = await page.evaluate(() => document.body.innerText), title = await page.title();
		if (picture)
			await page.screenshot({ path: picture, fullPage: true });
		let then;
		for (const [name, value] of Object.entries(fill))
			await page.type(`input[name="${name}"]`, value);
		if (press) {
			await Promise.all([page.waitForNavigation(), page.click('button')]);
			then = await page.evaluate(() => document.body.innerText);
		}
		await page.evaluate(inPage);
		const seen = await page.evaluate(() => window.courantTest.letter());
		const hits = await page.evaluate(() => window.hits ?? []);
		await page.close();
		return { ...seen, status: answer.status(), text, title, then, asked, hits };
	},
	// A page as it is served.
	async load({ url, allowed }) {
		const { page, asked } = await open([url, ...allowed]);
		const said = [];
		page.on('console', m => m.type() === 'error' && said.push(m.text()));
		page.on('pageerror', e => said.push(String(e)));
		await page.goto(url, { waitUntil: 'networkidle0' });
		await page.evaluate(inPage);
		const hits = await page.evaluate(() => window.hits ?? []);
		const found = await page.evaluate(() => window.courantTest.look(document.documentElement));
		const articles = await page.evaluate(() => document.querySelectorAll('article').length);
		await page.close();
		return { hits, asked, found, said, articles };
	},
};

for await (const line of createInterface({ input: process.stdin })) {
	const order = JSON.parse(line);
	let answer;
	try {
		answer = await orders[order.do](order);
	} catch (e) {
		answer = { error: String(e.stack) };
	}
	process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
