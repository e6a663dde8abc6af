// What the tests do inside a page: insert texts as a reader of feeds would, read outputs, compare trees.
window.courantTest = (() => {
	const SCHEMES = ['http:', 'https:', 'mailto:', ''];
	// The page's own functions, to be found again after each text. Taken before anything is inserted.
	const own = [];
	for (const object of [document, window])
		for (let p = object; p && p !== Object.prototype; p = Object.getPrototypeOf(p))
			for (const name of Object.getOwnPropertyNames(p)) {
				let value;
				try { value = object[name]; } catch { continue; }
				if (typeof value === 'function' || name === 'body' || name === 'head' || name === 'location')
					own.push([object, name, value]);
			}
	const root = document.documentElement;
	const make = name => Document.prototype.createElement.call(document, name);
	const remove = e => Element.prototype.remove.call(e);
	const attributesOf = Object.getOwnPropertyDescriptor(Element.prototype, 'attributes').get;
	const all = e => Element.prototype.querySelectorAll.call(e, '*');

	// What is wrong with an inserted tree, as it stands in the document.
	const look = top => {
		const wrong = new Set();
		for (const [object, name, value] of own)
			if (object[name] !== value)
				wrong.add('taken: ' + name);
		if ('courant' in window)
			wrong.add('named: courant');
		for (const e of all(top))
			for (const { name, value } of attributesOf.call(e)) {
				if (/^on|^srcdoc$|^formaction$/.test(name))
					wrong.add('attribute: ' + name);
				if (/^(id|name)$/.test(name) && e.localName !== 'meta')
					wrong.add('name: ' + value);
				if (!/^(href|src|action|cite|xlink:href|data|poster|background|longdesc)$/.test(name))
					continue;
				let scheme = '';
				try { scheme = new URL(value, 'http://base.test/').protocol; } catch { continue; }
				if (!SCHEMES.includes(scheme))
					wrong.add('scheme: ' + scheme);
			}
		return [...wrong];
	};

	const frame = (() => {
		const f = make('iframe');
		root.append(f);
		return f;
	})();
	const parsed = text => new DOMParser().parseFromString('<!DOCTYPE html><body>' + text, 'text/html').body;
	const ways = {
		innerHTML(text, at) { at.innerHTML = text; },
		template(text, at) { const t = make('template'); t.innerHTML = text; at.append(t.content); },
		clone(text, at) { const t = make('template'); t.innerHTML = text; at.append(document.importNode(t.content, true)); },
		parser(text, at) { at.append(...[...parsed(text).childNodes].map(n => document.adoptNode(n))); },
		again(text, at) { at.innerHTML = parsed(text).innerHTML; },
		cloneAgain(text, at) {
			const t = make('template'), d = make('div');
			t.innerHTML = text;
			d.append(document.importNode(t.content, true));
			at.innerHTML = d.innerHTML;
		},
		templateAgain(text, at) { const t = make('template'); t.innerHTML = text; at.innerHTML = t.innerHTML; },
		range(text, at) { at.append(document.createRange().createContextualFragment(text)); },
	};
	const write = text => {
		const d = frame.contentDocument;
		d.open(); d.write('<!DOCTYPE html><body>' + text); d.close();
		return look(d.documentElement);
	};

	// [[place in texts, what is wrong]...]. Each tree stays in the document for a while: to load, to be shown.
	const insert = async texts => {
		const found = [], places = [];
		texts.forEach((text, i) => {
			const wrong = new Set();
			for (const way of Object.values(ways)) {
				const at = make('div');
				Element.prototype.append.call(root, at);
				try { way(text, at); } catch { }
				look(at).forEach(w => wrong.add(w));
				if (look(make('p')).length > 0)
					remove(at);	// or it would be said of the next, too
				else
					places.push(at);
			}
			write(text).forEach(w => wrong.add(w));
			if (wrong.size > 0)
				found.push([i, [...wrong]]);
		});
		await new Promise(done => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 60)), 60));
		places.forEach(remove);
		return found.map(([i, wrong]) => [texts[i], wrong]);
	};

	// ---- trees ----

	const dump = n => {
		let s = '';
		for (const c of n.childNodes)
			if (c.nodeType === 3)
				s += JSON.stringify(c.data);
			else if (c.nodeType === 1)
				s += '<' + c.namespaceURI.slice(-5) + ' ' + c.localName + [...c.attributes].map(a => ' ' + a.name + '=' +
				    JSON.stringify(a.value)).sort().join('') + '>' + dump(c) + '</>';
			else
				s += '?' + c.nodeType;
		return s;
	};
	const alone = body => body.childNodes.length === 1 ? dump(body.firstChild) : 'outside: ' + dump(body);
	const quiet = document.implementation.createHTMLDocument('');
	const tree = (text, doc = document) => { const d = doc.createElement('div'); d.innerHTML = text; return d; };
	const trees = texts => texts.flatMap(text => {
		const t = make('template'), first = tree(text), second = tree(first.innerHTML);
		t.innerHTML = text;
		const copy = document.importNode(t.content, true);
		copy.normalize();
		const shown = make('div');
		shown.append(document.importNode(t.content, true));
		const d = frame.contentDocument;
		d.open(); d.write('<!DOCTYPE html><body><div>' + text + '</div>'); d.close();
		const read = {
			innerHTML: dump(first), template: dump(copy), quiet: dump(tree(text, quiet)), write: alone(d.body),
			parser: alone(parsed('<div>' + text + '</div>')), again: dump(second), clone: dump(tree(shown.innerHTML)), third: dump(tree(second.innerHTML)),
			quirks: alone(new DOMParser().parseFromString('<body><div>' + text + '</div>', 'text/html').body),
		};
		return Object.values(read).every(r => r === read.innerHTML) ? [] : [[text, read]];
	});

	// ---- outputs ----

	const ADDRESS = ['url', 'href', 'external_url', 'image', 'banner_image', 'avatar', 'icon', 'home_page_url', 'uri', 'link', 'comments'];
	const json = (value, name, found) => {
		if (Array.isArray(value))
			value.forEach(v => json(v, name, found));
		else if (value !== null && typeof value === 'object')
			Object.entries(value).forEach(([k, v]) => json(v, k, found));
		else if (typeof value === 'string')
			(name === 'content_html' || name === 'content' || name === 'summary' && found.lines || /-html$/.test(name) ? found.html :
			    ADDRESS.includes(name) ? found.addresses : found.texts).push(value);
	};
	const xml = (text, found) => {
		const d = new DOMParser().parseFromString(text, 'text/xml');
		if (d.querySelector('parsererror'))
			throw new Error('not well-formed: ' + d.documentElement.textContent.slice(0, 300));
		for (const e of d.querySelectorAll('*')) {
			for (const a of e.attributes)
				(/^(url|href|uri|src)$/.test(a.name) ? found.addresses : found.texts).push(a.value);
			const own = e.children.length === 0 ? e.textContent : '';
			if (e.localName === 'encoded' || (e.localName === 'description' && e.closest('item')) || e.getAttribute('type') === 'html')
				found.html.push(own);
			else if (e.namespaceURI?.includes('xhtml'))
				found.html.push(e.outerHTML);
			else if (/^(link|uri|comments|docs|logo|icon|url)$/.test(e.localName) || e.getAttribute('isPermaLink') === 'true')
				found.addresses.push(own);
			else
				found.texts.push(own);
		}
	};
	const read = (name, text) => {
		const found = { html: [], addresses: [], texts: [], lines: name.endsWith('.jsonl') };
		if (name.endsWith('.jsonl'))
			text.trim().split('\n').forEach(line => json(JSON.parse(line), '', found));
		else if (name.endsWith('.json'))
			json(JSON.parse(text), '', found);
		else
			xml(text, found);
		return found;
	};
	// Relative luminance and contrast (WCAG 2.1) of each text on what it stands on.
	const channels = css => css.match(/[\d.]+/g).map(Number);
	const luminance = rgb => rgb.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = () => {
		const e = document.createElement('div');
		e.style.background = 'Canvas';
		document.body.append(e);
		const rgb = channels(getComputedStyle(e).backgroundColor);
		e.remove();
		return rgb;
	};
	const groundOf = (element, canvas) => {
		for (let e = element; e; e = e.parentElement) {
			const [r, g, b, alpha = 1] = channels(getComputedStyle(e).backgroundColor);
			if (alpha === 1)
				return [r, g, b];
		}
		return canvas;
	};
	const contrast = (element, page) => {
		const canvas = groundOf(element, page);
		let [r, g, b, alpha = 1] = channels(getComputedStyle(element).color);
		for (let e = element; e; e = e.parentElement)
			alpha *= Number(getComputedStyle(e).opacity);
		const shown = [r, g, b].map((v, i) => v * alpha + canvas[i] * (1 - alpha));
		const [low, high] = [luminance(shown), luminance(canvas)].sort((x, y) => x - y);
		return (high + 0.05) / (low + 0.05);
	};
	const letter = () => {
		const canvas = ground(), faint = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		let least = 21;
		while (texts.nextNode()) {
			const text = texts.currentNode.data.trim();
			if (text === '')
				continue;
			const value = contrast(texts.currentNode.parentElement, canvas);
			least = Math.min(least, value);
			if (value < 4.5)
				faint.push([text.slice(0, 60), value]);
		}
		const grounds = [...document.querySelectorAll('body, body *')].filter(e =>
		    !['rgba(0, 0, 0, 0)', 'transparent'].includes(getComputedStyle(e).backgroundColor)).length;
		return { faint, least, grounds, dark: luminance(groundOf(document.body, canvas)) < 0.2, wide: document.documentElement.scrollWidth - innerWidth,
			small: Math.min(...[...document.querySelectorAll('p, h3')].map(e => parseFloat(getComputedStyle(e).fontSize))) };
	};
	return { insert, trees, read, look, letter };
})();
