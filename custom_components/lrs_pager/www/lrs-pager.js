let Lit;
/** @license Lit: Copyright 2017-2022 Google LLC, BSD-3-Clause */
(()=>{var B=globalThis,k=B.ShadowRoot&&(B.ShadyCSS===void 0||B.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,G=Symbol(),ot=new WeakMap,U=class{constructor(t,e,s){if(this._$cssResult$=!0,s!==G)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=t,this.t=e}get styleSheet(){let t=this.o,e=this.t;if(k&&t===void 0){let s=e!==void 0&&e.length===1;s&&(t=ot.get(e)),t===void 0&&((this.o=t=new CSSStyleSheet).replaceSync(this.cssText),s&&ot.set(e,t))}return t}toString(){return this.cssText}},nt=r=>new U(typeof r=="string"?r:r+"",void 0,G),Q=(r,...t)=>{let e=r.length===1?r[0]:t.reduce((s,i,o)=>s+(n=>{if(n._$cssResult$===!0)return n.cssText;if(typeof n=="number")return n;throw Error("Value passed to 'css' function must be a 'css' function result: "+n+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(i)+r[o+1],r[0]);return new U(e,r,G)},ht=(r,t)=>{if(k)r.adoptedStyleSheets=t.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let e of t){let s=document.createElement("style"),i=B.litNonce;i!==void 0&&s.setAttribute("nonce",i),s.textContent=e.cssText,r.appendChild(s)}},Y=k?r=>r:r=>r instanceof CSSStyleSheet?(t=>{let e="";for(let s of t.cssRules)e+=s.cssText;return nt(e)})(r):r;var{is:Ht,defineProperty:Ot,getOwnPropertyDescriptor:Nt,getOwnPropertyNames:Lt,getOwnPropertySymbols:Dt,getPrototypeOf:Bt}=Object,y=globalThis,at=y.trustedTypes,kt=at?at.emptyScript:"",jt=y.reactiveElementPolyfillSupport,M=(r,t)=>r,Z={toAttribute(r,t){switch(t){case Boolean:r=r?kt:null;break;case Object:case Array:r=r==null?r:JSON.stringify(r)}return r},fromAttribute(r,t){let e=r;switch(t){case Boolean:e=r!==null;break;case Number:e=r===null?null:Number(r);break;case Object:case Array:try{e=JSON.parse(r)}catch{e=null}}return e}},ct=(r,t)=>!Ht(r,t),lt={attribute:!0,type:String,converter:Z,reflect:!1,useDefault:!1,hasChanged:ct};Symbol.metadata??(Symbol.metadata=Symbol("metadata")),y.litPropertyMetadata??(y.litPropertyMetadata=new WeakMap);var m=class extends HTMLElement{static addInitializer(t){this._$Ei(),(this.l??(this.l=[])).push(t)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(t,e=lt){if(e.state&&(e.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(t)&&((e=Object.create(e)).wrapped=!0),this.elementProperties.set(t,e),!e.noAccessor){let s=Symbol(),i=this.getPropertyDescriptor(t,s,e);i!==void 0&&Ot(this.prototype,t,i)}}static getPropertyDescriptor(t,e,s){let{get:i,set:o}=Nt(this.prototype,t)??{get(){return this[e]},set(n){this[e]=n}};return{get:i,set(n){let l=i?.call(this);o?.call(this,n),this.requestUpdate(t,l,s)},configurable:!0,enumerable:!0}}static getPropertyOptions(t){return this.elementProperties.get(t)??lt}static _$Ei(){if(this.hasOwnProperty(M("elementProperties")))return;let t=Bt(this);t.finalize(),t.l!==void 0&&(this.l=[...t.l]),this.elementProperties=new Map(t.elementProperties)}static finalize(){if(this.hasOwnProperty(M("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(M("properties"))){let e=this.properties,s=[...Lt(e),...Dt(e)];for(let i of s)this.createProperty(i,e[i])}let t=this[Symbol.metadata];if(t!==null){let e=litPropertyMetadata.get(t);if(e!==void 0)for(let[s,i]of e)this.elementProperties.set(s,i)}this._$Eh=new Map;for(let[e,s]of this.elementProperties){let i=this._$Eu(e,s);i!==void 0&&this._$Eh.set(i,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(t){let e=[];if(Array.isArray(t)){let s=new Set(t.flat(1/0).reverse());for(let i of s)e.unshift(Y(i))}else t!==void 0&&e.push(Y(t));return e}static _$Eu(t,e){let s=e.attribute;return s===!1?void 0:typeof s=="string"?s:typeof t=="string"?t.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(t=>this.enableUpdating=t),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(t=>t(this))}addController(t){(this._$EO??(this._$EO=new Set)).add(t),this.renderRoot!==void 0&&this.isConnected&&t.hostConnected?.()}removeController(t){this._$EO?.delete(t)}_$E_(){let t=new Map,e=this.constructor.elementProperties;for(let s of e.keys())this.hasOwnProperty(s)&&(t.set(s,this[s]),delete this[s]);t.size>0&&(this._$Ep=t)}createRenderRoot(){let t=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return ht(t,this.constructor.elementStyles),t}connectedCallback(){this.renderRoot??(this.renderRoot=this.createRenderRoot()),this.enableUpdating(!0),this._$EO?.forEach(t=>t.hostConnected?.())}enableUpdating(t){}disconnectedCallback(){this._$EO?.forEach(t=>t.hostDisconnected?.())}attributeChangedCallback(t,e,s){this._$AK(t,s)}_$ET(t,e){let s=this.constructor.elementProperties.get(t),i=this.constructor._$Eu(t,s);if(i!==void 0&&s.reflect===!0){let o=(s.converter?.toAttribute!==void 0?s.converter:Z).toAttribute(e,s.type);this._$Em=t,o==null?this.removeAttribute(i):this.setAttribute(i,o),this._$Em=null}}_$AK(t,e){let s=this.constructor,i=s._$Eh.get(t);if(i!==void 0&&this._$Em!==i){let o=s.getPropertyOptions(i),n=typeof o.converter=="function"?{fromAttribute:o.converter}:o.converter?.fromAttribute!==void 0?o.converter:Z;this._$Em=i;let l=n.fromAttribute(e,o.type);this[i]=l??this._$Ej?.get(i)??l,this._$Em=null}}requestUpdate(t,e,s,i=!1,o){if(t!==void 0){let n=this.constructor;if(i===!1&&(o=this[t]),s??(s=n.getPropertyOptions(t)),!((s.hasChanged??ct)(o,e)||s.useDefault&&s.reflect&&o===this._$Ej?.get(t)&&!this.hasAttribute(n._$Eu(t,s))))return;this.C(t,e,s)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(t,e,{useDefault:s,reflect:i,wrapped:o},n){s&&!(this._$Ej??(this._$Ej=new Map)).has(t)&&(this._$Ej.set(t,n??e??this[t]),o!==!0||n!==void 0)||(this._$AL.has(t)||(this.hasUpdated||s||(e=void 0),this._$AL.set(t,e)),i===!0&&this._$Em!==t&&(this._$Eq??(this._$Eq=new Set)).add(t))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let t=this.scheduleUpdate();return t!=null&&await t,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??(this.renderRoot=this.createRenderRoot()),this._$Ep){for(let[i,o]of this._$Ep)this[i]=o;this._$Ep=void 0}let s=this.constructor.elementProperties;if(s.size>0)for(let[i,o]of s){let{wrapped:n}=o,l=this[i];n!==!0||this._$AL.has(i)||l===void 0||this.C(i,void 0,o,l)}}let t=!1,e=this._$AL;try{t=this.shouldUpdate(e),t?(this.willUpdate(e),this._$EO?.forEach(s=>s.hostUpdate?.()),this.update(e)):this._$EM()}catch(s){throw t=!1,this._$EM(),s}t&&this._$AE(e)}willUpdate(t){}_$AE(t){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(t)),this.updated(t)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(t){return!0}update(t){this._$Eq&&(this._$Eq=this._$Eq.forEach(e=>this._$ET(e,this[e]))),this._$EM()}updated(t){}firstUpdated(t){}};m.elementStyles=[],m.shadowRootOptions={mode:"open"},m[M("elementProperties")]=new Map,m[M("finalized")]=new Map,jt?.({ReactiveElement:m}),(y.reactiveElementVersions??(y.reactiveElementVersions=[])).push("2.1.2");var H=globalThis,pt=r=>r,j=H.trustedTypes,dt=j?j.createPolicy("lit-html",{createHTML:r=>r}):void 0,tt="$lit$",A=`lit$${Math.random().toFixed(9).slice(2)}$`,et="?"+A,It=`<${et}>`,b=document,O=()=>b.createComment(""),N=r=>r===null||typeof r!="object"&&typeof r!="function",st=Array.isArray,At=r=>st(r)||typeof r?.[Symbol.iterator]=="function",X=`[ 	
\f\r]`,R=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,ut=/-->/g,$t=/>/g,S=RegExp(`>|${X}(?:([^\\s"'>=/]+)(${X}*=${X}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),_t=/'/g,ft=/"/g,gt=/^(?:script|style|textarea|title)$/i,it=r=>(t,...e)=>({_$litType$:r,strings:t,values:e}),yt=it(1),Qt=it(2),Yt=it(3),g=Symbol.for("lit-noChange"),u=Symbol.for("lit-nothing"),mt=new WeakMap,C=b.createTreeWalker(b,129);function vt(r,t){if(!st(r)||!r.hasOwnProperty("raw"))throw Error("invalid template strings array");return dt!==void 0?dt.createHTML(t):t}var Et=(r,t)=>{let e=r.length-1,s=[],i,o=t===2?"<svg>":t===3?"<math>":"",n=R;for(let l=0;l<e;l++){let h=r[l],p,$,a=-1,d=0;for(;d<h.length&&(n.lastIndex=d,$=n.exec(h),$!==null);)d=n.lastIndex,n===R?$[1]==="!--"?n=ut:$[1]!==void 0?n=$t:$[2]!==void 0?(gt.test($[2])&&(i=RegExp("</"+$[2],"g")),n=S):$[3]!==void 0&&(n=S):n===S?$[0]===">"?(n=i??R,a=-1):$[1]===void 0?a=-2:(a=n.lastIndex-$[2].length,p=$[1],n=$[3]===void 0?S:$[3]==='"'?ft:_t):n===ft||n===_t?n=S:n===ut||n===$t?n=R:(n=S,i=void 0);let c=n===S&&r[l+1].startsWith("/>")?" ":"";o+=n===R?h+It:a>=0?(s.push(p),h.slice(0,a)+tt+h.slice(a)+A+c):h+A+(a===-2?l:c)}return[vt(r,o+(r[e]||"<?>")+(t===2?"</svg>":t===3?"</math>":"")),s]},L=class r{constructor({strings:t,_$litType$:e},s){let i;this.parts=[];let o=0,n=0,l=t.length-1,h=this.parts,[p,$]=Et(t,e);if(this.el=r.createElement(p,s),C.currentNode=this.el.content,e===2||e===3){let a=this.el.content.firstChild;a.replaceWith(...a.childNodes)}for(;(i=C.nextNode())!==null&&h.length<l;){if(i.nodeType===1){if(i.hasAttributes())for(let a of i.getAttributeNames())if(a.endsWith(tt)){let d=$[n++],c=i.getAttribute(a).split(A),_=/([.?@])?(.*)/.exec(d);h.push({type:1,index:o,name:_[2],strings:c,ctor:_[1]==="."?V:_[1]==="?"?z:_[1]==="@"?W:x}),i.removeAttribute(a)}else a.startsWith(A)&&(h.push({type:6,index:o}),i.removeAttribute(a));if(gt.test(i.tagName)){let a=i.textContent.split(A),d=a.length-1;if(d>0){i.textContent=j?j.emptyScript:"";for(let c=0;c<d;c++)i.append(a[c],O()),C.nextNode(),h.push({type:2,index:++o});i.append(a[d],O())}}}else if(i.nodeType===8)if(i.data===et)h.push({type:2,index:o});else{let a=-1;for(;(a=i.data.indexOf(A,a+1))!==-1;)h.push({type:7,index:o}),a+=A.length-1}o++}}static createElement(t,e){let s=b.createElement("template");return s.innerHTML=t,s}};function P(r,t,e=r,s){if(t===g)return t;let i=s!==void 0?e._$Co?.[s]:e._$Cl,o=N(t)?void 0:t._$litDirective$;return i?.constructor!==o&&(i?._$AO?.(!1),o===void 0?i=void 0:(i=new o(r),i._$AT(r,e,s)),s!==void 0?(e._$Co??(e._$Co=[]))[s]=i:e._$Cl=i),i!==void 0&&(t=P(r,i._$AS(r,t.values),i,s)),t}var I=class{constructor(t,e){this._$AV=[],this._$AN=void 0,this._$AD=t,this._$AM=e}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(t){let{el:{content:e},parts:s}=this._$AD,i=(t?.creationScope??b).importNode(e,!0);C.currentNode=i;let o=C.nextNode(),n=0,l=0,h=s[0];for(;h!==void 0;){if(n===h.index){let p;h.type===2?p=new w(o,o.nextSibling,this,t):h.type===1?p=new h.ctor(o,h.name,h.strings,this,t):h.type===6&&(p=new q(o,this,t)),this._$AV.push(p),h=s[++l]}n!==h?.index&&(o=C.nextNode(),n++)}return C.currentNode=b,i}p(t){let e=0;for(let s of this._$AV)s!==void 0&&(s.strings!==void 0?(s._$AI(t,s,e),e+=s.strings.length-2):s._$AI(t[e])),e++}},w=class r{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(t,e,s,i){this.type=2,this._$AH=u,this._$AN=void 0,this._$AA=t,this._$AB=e,this._$AM=s,this.options=i,this._$Cv=i?.isConnected??!0}get parentNode(){let t=this._$AA.parentNode,e=this._$AM;return e!==void 0&&t?.nodeType===11&&(t=e.parentNode),t}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(t,e=this){t=P(this,t,e),N(t)?t===u||t==null||t===""?(this._$AH!==u&&this._$AR(),this._$AH=u):t!==this._$AH&&t!==g&&this._(t):t._$litType$!==void 0?this.$(t):t.nodeType!==void 0?this.T(t):At(t)?this.k(t):this._(t)}O(t){return this._$AA.parentNode.insertBefore(t,this._$AB)}T(t){this._$AH!==t&&(this._$AR(),this._$AH=this.O(t))}_(t){this._$AH!==u&&N(this._$AH)?this._$AA.nextSibling.data=t:this.T(b.createTextNode(t)),this._$AH=t}$(t){let{values:e,_$litType$:s}=t,i=typeof s=="number"?this._$AC(t):(s.el===void 0&&(s.el=L.createElement(vt(s.h,s.h[0]),this.options)),s);if(this._$AH?._$AD===i)this._$AH.p(e);else{let o=new I(i,this),n=o.u(this.options);o.p(e),this.T(n),this._$AH=o}}_$AC(t){let e=mt.get(t.strings);return e===void 0&&mt.set(t.strings,e=new L(t)),e}k(t){st(this._$AH)||(this._$AH=[],this._$AR());let e=this._$AH,s,i=0;for(let o of t)i===e.length?e.push(s=new r(this.O(O()),this.O(O()),this,this.options)):s=e[i],s._$AI(o),i++;i<e.length&&(this._$AR(s&&s._$AB.nextSibling,i),e.length=i)}_$AR(t=this._$AA.nextSibling,e){for(this._$AP?.(!1,!0,e);t!==this._$AB;){let s=pt(t).nextSibling;pt(t).remove(),t=s}}setConnected(t){this._$AM===void 0&&(this._$Cv=t,this._$AP?.(t))}},x=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(t,e,s,i,o){this.type=1,this._$AH=u,this._$AN=void 0,this.element=t,this.name=e,this._$AM=i,this.options=o,s.length>2||s[0]!==""||s[1]!==""?(this._$AH=Array(s.length-1).fill(new String),this.strings=s):this._$AH=u}_$AI(t,e=this,s,i){let o=this.strings,n=!1;if(o===void 0)t=P(this,t,e,0),n=!N(t)||t!==this._$AH&&t!==g,n&&(this._$AH=t);else{let l=t,h,p;for(t=o[0],h=0;h<o.length-1;h++)p=P(this,l[s+h],e,h),p===g&&(p=this._$AH[h]),n||(n=!N(p)||p!==this._$AH[h]),p===u?t=u:t!==u&&(t+=(p??"")+o[h+1]),this._$AH[h]=p}n&&!i&&this.j(t)}j(t){t===u?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,t??"")}},V=class extends x{constructor(){super(...arguments),this.type=3}j(t){this.element[this.name]=t===u?void 0:t}},z=class extends x{constructor(){super(...arguments),this.type=4}j(t){this.element.toggleAttribute(this.name,!!t&&t!==u)}},W=class extends x{constructor(t,e,s,i,o){super(t,e,s,i,o),this.type=5}_$AI(t,e=this){if((t=P(this,t,e,0)??u)===g)return;let s=this._$AH,i=t===u&&s!==u||t.capture!==s.capture||t.once!==s.once||t.passive!==s.passive,o=t!==u&&(s===u||i);i&&this.element.removeEventListener(this.name,this,s),o&&this.element.addEventListener(this.name,this,t),this._$AH=t}handleEvent(t){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,t):this._$AH.handleEvent(t)}},q=class{constructor(t,e,s){this.element=t,this.type=6,this._$AN=void 0,this._$AM=e,this.options=s}get _$AU(){return this._$AM._$AU}_$AI(t){P(this,t)}},St={M:tt,P:A,A:et,C:1,L:Et,R:I,D:At,V:P,I:w,H:x,N:z,U:W,B:V,F:q},Vt=H.litHtmlPolyfillSupport;Vt?.(L,w),(H.litHtmlVersions??(H.litHtmlVersions=[])).push("3.3.3");var Ct=(r,t,e)=>{let s=e?.renderBefore??t,i=s._$litPart$;if(i===void 0){let o=e?.renderBefore??null;s._$litPart$=i=new w(t.insertBefore(O(),o),o,void 0,e??{})}return i._$AI(r),i};var D=globalThis,v=class extends m{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){var e;let t=super.createRenderRoot();return(e=this.renderOptions).renderBefore??(e.renderBefore=t.firstChild),t}update(t){let e=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(t),this._$Do=Ct(e,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return g}};v._$litElement$=!0,v.finalized=!0,D.litElementHydrateSupport?.({LitElement:v});var zt=D.litElementPolyfillSupport;zt?.({LitElement:v});(D.litElementVersions??(D.litElementVersions=[])).push("4.2.2");var bt={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},Pt=r=>(...t)=>({_$litDirective$:r,values:t}),K=class{constructor(t){}get _$AU(){return this._$AM._$AU}_$AT(t,e,s){this._$Ct=t,this._$AM=e,this._$Ci=s}_$AS(t,e){return this.update(t,e)}update(t,e){return this.render(...e)}};var{I:Wt}=St,xt=r=>r;var wt=()=>document.createComment(""),T=(r,t,e)=>{let s=r._$AA.parentNode,i=t===void 0?r._$AB:t._$AA;if(e===void 0){let o=s.insertBefore(wt(),i),n=s.insertBefore(wt(),i);e=new Wt(o,n,r,r.options)}else{let o=e._$AB.nextSibling,n=e._$AM,l=n!==r;if(l){let h;e._$AQ?.(r),e._$AM=r,e._$AP!==void 0&&(h=r._$AU)!==n._$AU&&e._$AP(h)}if(o!==i||l){let h=e._$AA;for(;h!==o;){let p=xt(h).nextSibling;xt(s).insertBefore(h,i),h=p}}}return e},E=(r,t,e=r)=>(r._$AI(t,e),r),qt={},Tt=(r,t=qt)=>r._$AH=t,Ut=r=>r._$AH,F=r=>{r._$AR(),r._$AA.remove()};var Mt=(r,t,e)=>{let s=new Map;for(let i=t;i<=e;i++)s.set(r[i],i);return s},Rt=Pt(class extends K{constructor(r){if(super(r),r.type!==bt.CHILD)throw Error("repeat() can only be used in text expressions")}dt(r,t,e){let s;e===void 0?e=t:t!==void 0&&(s=t);let i=[],o=[],n=0;for(let l of r)i[n]=s?s(l,n):n,o[n]=e(l,n),n++;return{values:o,keys:i}}render(r,t,e){return this.dt(r,t,e).values}update(r,[t,e,s]){let i=Ut(r),{values:o,keys:n}=this.dt(t,e,s);if(!Array.isArray(i))return this.ut=n,o;let l=this.ut??(this.ut=[]),h=[],p,$,a=0,d=i.length-1,c=0,_=o.length-1;for(;a<=d&&c<=_;)if(i[a]===null)a++;else if(i[d]===null)d--;else if(l[a]===n[c])h[c]=E(i[a],o[c]),a++,c++;else if(l[d]===n[_])h[_]=E(i[d],o[_]),d--,_--;else if(l[a]===n[_])h[_]=E(i[a],o[_]),T(r,h[_+1],i[a]),a++,_--;else if(l[d]===n[c])h[c]=E(i[d],o[c]),T(r,i[a],i[d]),d--,c++;else if(p===void 0&&(p=Mt(n,c,_),$=Mt(l,a,d)),p.has(l[a]))if(p.has(l[d])){let f=$.get(n[c]),J=f!==void 0?i[f]:null;if(J===null){let rt=T(r,i[a]);E(rt,o[c]),h[c]=rt}else h[c]=E(J,o[c]),T(r,i[a],J),i[f]=null;c++}else F(i[d]),d--;else F(i[a]),a++;for(;c<=_;){let f=T(r,h[_+1]);E(f,o[c]),h[c++]=f}for(;a<=d;){let f=i[a++];f!==null&&F(f)}return this.ut=n,Tt(r,h),g}});Lit={css:Q,html:yt,LitElement:v,nothing:u,repeat:Rt};})();
// taken:lit
var { css, html, LitElement, nothing, repeat } = Lit;

// src/hass.ts
var DOMAIN = "lrs_pager";
function transmitters(hass) {
let ids = new Set();
for (let entity of Object.values(hass.entities))
entity.platform === DOMAIN && entity.device_id && ids.add(entity.device_id);
return [...ids].flatMap((id) => hass.devices[id] ?? []).sort((a, b) => title(a).localeCompare(title(b)));
}
function title(device) {
return device.name_by_user || device.name || "T7470";
}

// src/words.ts
var plurals = new Map(), loads = new Map();
function loadWords(hass) {
let { language } = hass, words = loads.get(language) ?? load(hass);
return loads.set(language, words), words.catch(() => loads.delete(language)), words;
}
async function load(hass) {
let [common, exceptions] = await Promise.all(
["common", "exceptions"].map(
(part) => hass.loadBackendTranslation(part, DOMAIN).catch(() => hass.loadBackendTranslation(part))
)
);
return (name, values) => common(name, values) || exceptions(name, values);
}
var Words = class {
constructor(hass, loaded) {
this.hass = hass, this.loaded = loaded;
}
get(key, values) {
return this.text(`component.${DOMAIN}.common.${key}`, values);
}
text(name, values) {
return this.hass.localize(name, values) || (this.loaded?.(name, values) ?? "");
}
count(key, count) {
let { language } = this.hass.locale, rules = plurals.get(language) ?? new Intl.PluralRules(language);
plurals.set(language, rules);
let values = { count };
return this.get(`${key}_${rules.select(count)}`, values) || this.get(`${key}_other`, values);
}
error(error) {
let { translation_domain: domain, translation_key: key, message } = error;
return key && this.text(
`component.${domain ?? DOMAIN}.exceptions.${key}.message`,
error.translation_placeholders
) || message || this.get("unknown_error");
}
get timeZone() {
let timeZone = this.hass.config.time_zone;
try {
return (new Date()).toLocaleString("en", { timeZone }), timeZone;
} catch {
return;
}
}
timeOfDay(instant, timeZone) {
let { language, time_format: format, time_zone: zone } = this.hass.locale;
return new Intl.DateTimeFormat(format === "system" ? void 0 : language, {
hour: "numeric",
minute: "2-digit",
...format === "12" && { hourCycle: "h12" },
...format === "24" && { hourCycle: "h23" },
timeZone: timeZone ?? (zone === "server" ? this.timeZone : void 0)
}).format(instant * 1e3);
}
};

// src/card.ts
var CHOICES = {
mode: ["stand", "lobby"],
size: ["normal", "large"],
hide_names: [!1, !0],
read_only: [!1, !0]
}, Card = class extends LitElement {
setConfig(config) {
for (let [key, values] of Object.entries(CHOICES)) {
let value = config[key];
if (value !== void 0 && !values.includes(value))
throw new Error(`${key}: one of ${values.join(", ")}`);
}
this.config = config;
}
getCardSize() {
return 8;
}
getGridOptions() {
return { columns: 12, min_columns: 6 };
}
static getStubConfig(hass) {
let devices = transmitters(hass);
return devices.length > 1 ? { device_id: devices[0].id } : {};
}
static getConfigForm() {
let choice = (name) => {
let options = CHOICES[name].map((value) => ({
value,
label: formWord(`${name}_${value}`) || value
}));
return { name, selector: { select: { mode: "dropdown", options } } };
};
return {
schema: [
{ name: "device_id", selector: { device: { integration: DOMAIN } } },
{ name: "title", selector: { text: {} } },
choice("mode"),
choice("size"),
{ name: "hide_names", selector: { boolean: {} } },
{ name: "read_only", selector: { boolean: {} } }
],
computeLabel: ({ name }) => formWord(name) || void 0,
computeHelper: ({ name }) => formWord(`${name}_help`) || void 0
};
}
render() {
let { config, hass } = this;
return html`
<ha-card>
${config?.mode === "lobby" ? html`<lrs-pager-lobby
.hass=${hass}
.deviceId=${config.device_id}
.heading=${config.title}
></lrs-pager-lobby>` : html`<lrs-pager-stand
.hass=${hass}
.deviceId=${config?.device_id}
.heading=${config?.title}
.large=${config?.size === "large"}
.hideNames=${config?.hide_names}
.readOnly=${config?.read_only}
.preview=${this.preview}
></lrs-pager-stand>`}
</ha-card>
`;
}
};
Card.styles = css`ha-card{height:100%;overflow:hidden}`, Card.properties = {
hass: { attribute: !1 },
preview: { attribute: !1 },
config: { state: !0 }
};
function formWord(key) {
let home = document.querySelector("home-assistant");
return home?.hass ? new Words(home.hass).get(`card_${key}`) : "";
}
var CARD_ENTRY = {
type: "lrs-pager-card",
name: "LRS Pager",
description: "Who waits, for how long, who is late; page and seat by a tap.",
preview: !0,
documentationURL: "https://github.com/ha-lrs-pager/lrs-pager#host-stand",
getEntitySuggestion(hass, entityId) {
let entity = hass.entities[entityId], shown = ["active_sessions", "waiting_sessions", "paged_sessions", "late"];
if (entity?.platform !== DOMAIN || !shown.includes(entity.translation_key ?? "")) return null;
let device = entity.device_id && hass.devices[entity.device_id];
return {
label: device ? `LRS Pager: ${title(device)}` : "LRS Pager",
config: { type: "custom:lrs-pager-card", device_id: entity.device_id }
};
}
};

// src/icons.ts
var PATHS = {
bell: "M21 19V20H3V19L5 17V11C5 7.9 7.03 5.17 10 4.29V4A2 2 0 0 1 14 4V4.29C16.97 5.17 19 7.9 19 11V17M14 21A2 2 0 0 1 10 21",
check: "M21 7 9 19 3.5 13.5 4.91 12.09 9 16.17 19.59 5.59",
close: "M19 6.41 17.59 5 12 10.59 6.41 5 5 6.41 10.59 12 5 17.59 6.41 19 12 13.41 17.59 19 19 17.59 13.41 12",
person: "M12 4A4 4 0 0 1 12 12 4 4 0 0 1 12 4M12 14C16.42 14 20 15.79 20 18V20H4V18C4 15.79 7.58 14 12 14",
alert: "M13 14H11V9H13M13 18H11V16H13M1 21H23L12 2",
options: "M3 17V19H9V17M3 5V7H13V5M13 21V19H21V17H13V15H11V21M7 9V11H3V13H7V15H9V9M21 13V11H11V13M15 9H17V7H21V5H17V3H15",
plus: "M19 13H13V19H11V13H5V11H11V5H13V11H19"
};
function icon(name) {
return html`<svg viewBox="0 0 24 24" aria-hidden="true">
<path d=${PATHS[name]}></path>
</svg>`;
}

// src/session.ts
function recognise(before, told) {
let ids = new Set(told.map(({ id }) => id)), known = new Map(before.map((session) => [session.id, session.key])), start = (session) => `${session.number} ${session.created_at}`, lost = new Map(
before.filter(({ id }) => !ids.has(id)).map((session) => [start(session), session.key])
);
return told.map((session) => {
let key = known.get(session.id) ?? lost.get(start(session)) ?? session.id;
return lost.delete(start(session)), { ...session, key };
});
}
var DUE_SOON = 300;
function timeOf(session, now, lateAfter) {
if (session.not_cleared) return { state: "not_cleared", span: null };
if (session.notified_at !== null)
return { state: "paged", span: Math.max(0, now - session.notified_at) };
if (session.created_at === null) return { state: "open", span: null };
if (!session.goal) return { state: "open", span: Math.max(0, now - session.created_at) };
let left = session.created_at + session.goal - now;
return -left >= lateAfter ? { state: "late", span: -left } : { state: left <= DUE_SOON ? "soon" : "early", span: Math.max(0, left) };
}
function clockText(span) {
let seconds = `${span % 60}`.padStart(2, "0"), minutes = Math.floor(span / 60);
return minutes < 60 ? `${minutes}:${seconds}` : `${Math.floor(minutes / 60)}:${`${minutes % 60}`.padStart(2, "0")}:${seconds}`;
}
var SIZES = { small: "1–2", medium: "3–4", large: "5+" };
function sizeOf({ party_size }) {
let size = party_size ?? 1;
return size <= 2 ? "small" : size <= 4 ? "medium" : "large";
}
function inLine(sessions) {
let start = (session) => session.created_at ?? 1 / 0;
return [...sessions].sort((a, b) => start(a) - start(b) || (a.number ?? 0) - (b.number ?? 0));
}
function present(sessions) {
return sessions.filter(({ not_cleared }) => !not_cleared);
}
function lineOf(listed, now, lateAfter) {
let waiting = present(listed), starts = waiting.flatMap((session) => session.created_at ?? []);
return {
waiting: waiting.length,
guests: waiting.reduce((sum, session) => sum + (session.party_size ?? 1), 0),
late: waiting.filter((session) => timeOf(session, now, lateAfter).state === "late").length,
longest: starts.length ? Math.max(0, now - Math.min(...starts)) : null
};
}
function happenings(before, after) {
let known = new Map(before.map((session) => [session.key, session])), found = [];
for (let session of after) {
let earlier = known.get(session.key);
known.delete(session.key), earlier ? earlier.notified_at !== session.notified_at && session.notified_at !== null ? found.push({ kind: "paged", session }) : session.notice && !earlier.notice && found.push({ kind: "failed", session }) : found.push({ kind: "started", session });
}
for (let session of known.values()) found.push({ kind: "ended", session });
return found;
}

// src/styles.ts
var base = css`:host{--quiet: var(--secondary-text-color);--alarm: var(--ha-color-on-danger-normal);--accent: color-mix(in srgb, var(--ha-color-on-primary-normal), var(--primary-text-color) 40%);--line: 1px solid var(--divider-color);display:block;color:var(--primary-text-color);font:var(--ha-font-size-l, 16px) / 1.3 var(--ha-font-family-body, sans-serif);font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}*{box-sizing:border-box;min-width:0;margin:0}ul,ol,fieldset{padding:0;border:0;list-style:none}h1,h2,h3{font-size:1.25em;font-weight:400}svg{flex:none;width:1.3em;height:1.3em;fill:currentColor}.unseen{position:absolute;overflow:hidden;width:1px;clip-path:inset(50%);white-space:nowrap}button,input,select{min-height:48px;background:none;color:inherit;font:inherit}button{display:inline-flex;align-items:center;justify-content:center;gap:.35em;min-width:48px;padding:0 .75em;border:0;border-radius:9999px;font-weight:500;cursor:pointer;touch-action:manipulation}:focus-visible{outline:3px solid var(--primary-color);outline-offset:2px}.plain{box-shadow:inset 0 0 0 1px var(--divider-color);background:var(--ha-color-fill-neutral-normal-resting);color:var(--primary-text-color)}.primary,.filter [aria-pressed=true]{background:var(--ha-color-fill-primary-normal-resting);color:var(--accent)}.loud,[aria-pressed=true]{background:var(--ha-color-fill-primary-loud-resting);background:color-mix(in srgb,var(--ha-color-fill-primary-loud-resting),#000 28%);color:var(--ha-color-on-primary-loud)}.danger{background:var(--ha-color-fill-danger-loud-resting);color:var(--ha-color-on-danger-loud)}button:hover{filter:brightness(.95)}button[aria-disabled=true]{opacity:.5;cursor:default}.alarm{color:var(--alarm);font-weight:500}.note{color:var(--quiet)}input,select{padding:0 .75em;border:1px solid var(--ha-color-border-neutral-loud);border-radius:8px}.option{display:flex;align-items:center;gap:.75em}.option input{flex:none;width:1.5em;accent-color:var(--primary-color)}.quotes bdi{display:inline-block;margin-inline-end:.6em}p:empty{display:none}p:has(svg){display:flex;align-items:center;gap:.5em}dialog{width:min(36rem,100vw);max-width:none;max-height:100dvh;margin:auto;padding:0;border:0;border-radius:24px;background:var(--card-background-color);color:inherit}dialog::backdrop{background:#0008}form{display:grid;gap:1rem;padding:1rem 1.25rem calc(1rem + env(safe-area-inset-bottom))}@media(max-width:600px){dialog{margin-block-end:0;border-radius:24px 24px 0 0}}`, standStyles = [
base,
css`:host{container-type:inline-size}:host([large]){font-size:calc(1.5 * var(--ha-font-size-l, 16px))}.stand{display:grid;grid-template-columns:minmax(0,1fr) auto;align-items:center}.stand>*{grid-column:1 / -1}.stand>header{grid-column:1;display:flex;align-items:center;gap:.75em;min-height:56px;padding-block:4px;padding-inline:1em .5em}.stand>.hand-out{grid-column:2;margin-inline-end:12px}.sum{display:flex;flex:1;flex-wrap:wrap;gap:0 .9em;color:var(--quiet)}.sum span{white-space:nowrap}.sum p{flex-basis:100%;font-size:.875em}.sum svg,.time svg{width:1em;height:1em;vertical-align:-.12em}.live{color:var(--quiet);font-size:.875em;white-space:nowrap}.live:before{content:"";display:inline-block;width:.6em;height:.6em;margin-inline-end:.4em;border-radius:50%;background:var(--ha-color-on-success-normal)}.banner,.wide{margin:0 12px 8px;padding:.6em .8em;border-radius:12px;font-weight:500}.banner{background:var(--ha-color-fill-danger-quiet-resting);color:var(--alarm)}.info{background:var(--ha-color-fill-warning-quiet-resting);color:var(--ha-color-on-warning-normal)}.columns{display:grid}.stale ul{opacity:.6}.heading{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;min-height:48px;padding-inline:1em 12px}h3{color:var(--quiet);font-size:1em;font-weight:500}.filter button{padding:0 .6em}.filter [aria-pressed=false]{color:var(--quiet);font-weight:400}.empty{padding:1.5em;color:var(--quiet);text-align:center}li{display:grid;grid-template:"number who buttons" "number time buttons" "message message message" / 3em minmax(0,1fr) auto;align-items:center;column-gap:.3em;min-height:55px;padding-block:3px;padding-inline-end:12px;border-block-start:var(--line);border-inline-start:4px solid transparent;contain:layout style}li:focus-visible{outline-offset:-3px}li.soon{border-inline-start-color:var(--ha-color-on-warning-normal)}li.late{border-inline-start-color:var(--alarm)}.number{grid-area:number;font-size:1.6em;font-weight:700;text-align:center}li .number{width:1.85em}.who{grid-area:who;display:flex;align-items:center;gap:.5em;padding-inline-end:.3em}.name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-weight:500}.party{display:inline-flex;flex:none;align-items:center;color:var(--quiet)}.party svg{width:1.1em}.time{grid-area:time;display:flex;flex-wrap:wrap;gap:0 .4em;height:1.3em;overflow-y:clip;color:var(--quiet);white-space:nowrap}li .about{color:var(--quiet);font-weight:400}.time b{color:var(--primary-text-color);font-weight:500}.soon :is(.time,.time b){color:var(--ha-color-on-warning-normal)}.late :is(.time,.time b){color:var(--alarm);font-weight:700}.buttons{grid-area:buttons;display:grid;grid-template-columns:minmax(5em,auto) minmax(3.6em,auto) minmax(4.6em,auto);gap:5px}.buttons button{padding:0 .5em}.called [data-tap=undo]{grid-column:2 / 4}@media(prefers-reduced-motion:no-preference){.busy span{animation:wait 1s infinite alternate}}@keyframes wait{to{opacity:.3}}.message{grid-area:message;padding:.25em 0 .25em .75em}@container (max-width: 29em){.stand>header{grid-column:1 / -1;min-height:48px}.stand>.hand-out{grid-column:1 / -1;order:1;position:sticky;inset-block-end:8px;z-index:1;margin:8px 12px;box-shadow:0 2px 8px #0005}.live{display:none}li{grid-template:"number who time" "number buttons buttons" "message message message" / 3em minmax(0,1fr) auto;row-gap:1px}.buttons{grid-template-columns:1.4fr 1fr 1fr}}@container (max-width: 23em){.about{display:none}}@container (max-width: 19em){header{flex-wrap:wrap}li{grid-template:"number who" "number time" "buttons buttons" "message message" / 3em minmax(0,1fr)}.buttons{grid-template-columns:1fr}}@container (max-width: 54em){.called:not(:has(li)){display:none}}@container (min-width: 54em){.columns{grid-template-columns:1fr 1fr}.called{border-inline-start:var(--line)}}`
], sheetStyles = [
base,
css`header,.field{display:flex;flex-wrap:wrap;align-items:center;gap:6px .75em}header{justify-content:space-between}label,legend{min-width:5.5em;font-weight:500}input{flex:1}[inputmode]{flex:0 1 5em;font-size:1.25em;font-weight:700}.chips{display:flex;flex-basis:100%;flex-wrap:wrap;gap:6px}.pagers{max-height:9.5rem;overflow-y:auto;margin:-4px;padding:4px}.chip{display:inline-grid;place-content:center;min-width:48px;min-height:48px;padding:0 .7em;border:1px solid var(--ha-color-border-neutral-normal);border-radius:9999px;font-weight:400}.used{border-style:dashed;color:var(--quiet);text-decoration:line-through}`
], lobbyStyles = [
base,
css`:host{container-type:inline-size;height:100%;text-align:center}.lobby{display:flex;flex-direction:column;gap:1rem;min-height:100%;padding:1.5rem;font-size:clamp(1.1rem,min(4cqi,4.5vh),2.5rem)}ol,.nobody{display:flex;flex:1;flex-wrap:wrap;align-content:center;align-items:center;justify-content:center;gap:0 .5em}ol{font-size:2.5em;font-weight:700;line-height:1}li:first-child{flex-basis:100%;color:var(--accent);font-size:2.4em}`
], managerStyles = [
base,
css`ha-card{display:grid;gap:12px;padding:12px}form{padding:0}table{width:100%;border-spacing:2px}th{font-weight:400;text-align:start}td,[scope=col]{text-align:end}.heat{table-layout:fixed;font-size:.75em}.heat td{background:color-mix(in srgb,var(--primary-color) var(--heat, 0%),transparent)}td,.note span{padding:6px}.note span{margin-inline-end:6px}.few,.heat .few{background:repeating-linear-gradient(45deg,transparent 0 4px,var(--divider-color) 4px 6px)}`
], panelStyles = [
base,
css`:host{min-height:100vh;background:var(--card-background-color)}header{display:flex;align-items:center;height:var(--header-height, 56px);padding-inline:4px 16px;border-block-end:var(--line);background:var(--app-header-background-color, var(--primary-background-color));color:var(--app-header-text-color)}h1{margin-inline-start:20px}.lobbies{display:grid;grid-auto-rows:1fr;min-height:100dvh}`
];

// src/taps.ts
var PAGE_LOCK = 3, ASK = 10, CONNECTION_LOST = 3;
function isInDoubt(error) {
return error.translation_key === "maybe_done" || error.error?.code === CONNECTION_LOST;
}
function isShown(tap, before, after) {
return after ? tap === "page" ? before.notified_at !== after.notified_at : before.seating_until !== after.seating_until || before.notice?.key !== after.notice?.key : !0;
}
var Taps = class {
constructor(host, live) {
this.rows = new Map();
this.host = host, this.live = live;
}
state(session) {
let { busy, failure, askedAt, pagedAt, hasWaited } = this.rows.get(session.key) ?? {}, isPagedHere = this.isSince(pagedAt, PAGE_LOCK);
return {
busy,
failure,
isAsking: this.isSince(askedAt, ASK),
isLocked: isPagedHere || this.isSince(session.notified_at, PAGE_LOCK),
isHeld: hasWaited === !0 && (isPagedHere || busy === "page")
};
}
isSince(instant, seconds) {
return Math.abs(this.live.now - (instant ?? -1 / 0)) < seconds;
}
ask(session) {
this.set(session, { askedAt: this.live.now, failure: void 0 });
}
dismiss(session) {
this.set(session, { askedAt: -1 / 0 });
}
see(sessions, before) {
let now = new Map(sessions.map((session) => [session.key, session]));
for (let key of this.rows.keys()) now.has(key) || this.rows.delete(key);
for (let session of before) {
let { key } = session, row = this.rows.get(key);
row?.failure && isShown(row.failure.tap, session, now.get(key)) && (row.failure = void 0);
}
}
async send(tap, session) {
let { snapshot, isConnected } = this.live;
if (!snapshot || !isConnected || this.state(session).busy) return;
this.set(session, {
busy: tap,
failure: void 0,
askedAt: -1 / 0,
...tap === "page" && { hasWaited: session.notified_at === null }
});
let failure;
try {
await this.command(tap, session, snapshot);
} catch (thrown) {
let error = thrown, now = this.live.sessions?.find(({ key }) => key === session.key);
(!isInDoubt(error) || !isShown(tap, session, now)) && (failure = { tap, error });
}
return this.set(session, {
busy: void 0,
failure,
...tap === "page" && { pagedAt: this.live.now }
}), !failure;
}
command(tap, session, { entry_id, device_id }) {
let { hass } = this.live.wanted, { id, number } = session;
if (tap === "page" || tap === "remove") {
let data = { number, session_id: id, config_entry_id: entry_id };
return hass.callService(DOMAIN, `${tap}_session`, data, void 0, !1);
}
return hass.callWS({
type: tap === "seat" ? "lrs_pager/seat" : "lrs_pager/undo_seat",
session_id: id,
...tap === "seat" && { number },
...device_id !== null && { device_id }
});
}
set(session, row) {
this.rows.set(session.key, { ...this.rows.get(session.key), ...row }), this.host.requestUpdate();
}
};

// src/hand-out.ts
var PARTIES = [1, 2, 3, 4, 5, 6], GOALS = [10, 15, 20, 30, 45, 60], LONGEST_NAME = 200, HandOut = class extends LitElement {
constructor() {
super(), this.clear(), this.isBusy = !1;
}
open() {
this.isBusy || (this.clear(), this.input("label").value = ""), this.dialog.showModal(), this.requestUpdate();
}
shouldUpdate() {
return !this.hasUpdated || this.dialog.open;
}
clear() {
this.pager = this.party = "", this.goal = this.error = void 0;
}
get dialog() {
return this.renderRoot.querySelector("dialog");
}
get quoted() {
let party_size = wholeNumber(this.party), { quotes, is_auto_paged } = this.live.snapshot ?? {};
return !party_size || !quotes || is_auto_paged ? null : quotes[sizeOf({ party_size })].high;
}
get chosen() {
return this.goal === void 0 ? this.quoted : this.goal;
}
input(name) {
return this.renderRoot.querySelector(`[name=${name}]`);
}
get words() {
return new Words(this.hass);
}
async send(event) {
if (event.preventDefault(), this.isBusy) return;
let { words } = this, { snapshot } = this.live, number = wholeNumber(this.pager);
if (number === void 0) {
this.error = words.get("which_pager"), this.input("pager").focus();
return;
}
if (!snapshot || !this.live.isConnected) {
this.error = words.get("cut_at_once");
return;
}
let party = wholeNumber(this.party);
if (party === void 0 && this.party.trim()) {
this.error = words.get("which_party"), this.input("party").focus();
return;
}
let label = this.input("label").value.trim(), { chosen } = this;
this.isBusy = !0, this.error = void 0;
try {
await this.hass.callService(
DOMAIN,
"start_session",
{
number,
config_entry_id: snapshot.entry_id,
label: label || void 0,
party_size: party,
goal: chosen === null ? void 0 : { minutes: chosen }
},
void 0,
!1
), this.dialog.close();
} catch (thrown) {
let error = thrown;
this.error = isInDoubt(error) ? words.get("maybe_hand_out") : words.error(error), this.dialog.open || this.dialog.showModal();
} finally {
this.isBusy = !1;
}
}
render() {
let { words, quoted, chosen } = this, { snapshot, sessions } = this.live, used = new Set(sessions?.flatMap((session) => session.number ?? [])), pagers = snapshot?.pagers ?? [], ordered = [...pagers.filter((number) => !used.has(number)), ...pagers.filter((number) => used.has(number))], goal = snapshot?.default_goal ?? 0, isUsed = used.has(wholeNumber(this.pager) ?? NaN);
return html`
<dialog aria-labelledby="title" closedby="any">
<form novalidate @submit=${this.send}>
<header>
<h2 id="title">${words.get("hand_out_a_pager")}</h2>
<button type="button" @click=${() => this.dialog.close()}>
${icon("close")}<span class="unseen">${words.get("close")}</span>
</button>
</header>
<div class="field">
<label for="pager">${words.get("pager")}</label>
<input
id="pager"
name="pager"
inputmode="numeric"
autocomplete="off"
maxlength="6"
.value=${this.pager}
aria-describedby="pager-note"
@input=${(event) => this.pager = valueOf(event)}
/>
<p id="pager-note" class="note">${isUsed ? words.get("pager_in_use") : nothing}</p>
<div class="chips pagers">
${ordered.map((number) => {
let text = `${number}`;
return used.has(number) ? html`<span class="chip used"
>${text}<span class="unseen"> ${words.get("in_use")}</span></span
>` : this.chip(text, this.pager === text, () => this.pager = text);
})}
</div>
</div>
<div class="field">
<label for="party">${words.get("party_size")}</label>
<input
id="party"
name="party"
inputmode="numeric"
autocomplete="off"
maxlength="4"
.value=${this.party}
@input=${(event) => this.party = valueOf(event)}
/>
<div class="chips">
${PARTIES.map((size) => {
let text = `${size}`;
return this.chip(text, this.party === text, () => this.party = text);
})}
</div>
</div>
<fieldset class="field">
<legend>${words.get("goal")}</legend>
<div class="chips">
${this.chip(
goal && goal % 60 === 0 ? words.get("goal_default_minutes", { minutes: goal / 60 }) : words.get("goal_default"),
chosen === null,
() => this.goal = null
)}
${quoted === null ? nothing : this.chip(
words.get("goal_quoted", { minutes: quoted }),
chosen === quoted,
() => this.goal = void 0
)}
${GOALS.filter((each) => each * 60 !== goal && each !== quoted).map(
(minutes) => this.chip(
words.get("minutes", { minutes }),
chosen === minutes,
() => this.goal = minutes
)
)}
</div>
${snapshot?.is_auto_paged ? html`<p class="note">${words.get("no_quote_auto_page")}</p>` : nothing}
</fieldset>
<div class="field">
<label for="label">${words.get("name")}</label>
<input
id="label"
name="label"
autocomplete="off"
maxlength=${LONGEST_NAME}
placeholder=${words.get("name_optional")}
/>
</div>
<p class="alarm" role="alert">${this.error ? [icon("alert"), this.error] : nothing}</p>
<button class="loud" aria-disabled=${this.isBusy}>${words.get("hand_out")}</button>
</form>
</dialog>
`;
}
chip(text, isChosen, choose) {
return html`<button type="button" class="chip" aria-pressed=${isChosen} @click=${choose}>
${text}
</button>`;
}
};
HandOut.styles = sheetStyles, HandOut.properties = {
hass: { attribute: !1 },
live: { attribute: !1, hasChanged: () => !0 },
pager: { state: !0 },
party: { state: !0 },
goal: { state: !0 },
error: { state: !0 },
isBusy: { state: !0 }
};
function valueOf(event) {
return event.target.value;
}
function wholeNumber(text) {
let digits = text.trim().replace(/[٠-٩۰-۹０-９]/g, (digit) => `${digit.charCodeAt(0) & 15}`);
return /^0*[1-9][0-9]*$/.test(digits) ? Number(digits) : void 0;
}

// src/live.ts
var FIRST_RETRY = 1, LAST_RETRY = 30, PING_INTERVAL = 5, SILENCE = 12, DEAD = 30, STALL = 7, CLOCK_STEP = 2, UNKNOWN_COMMAND = "unknown_command", Live = class {
constructor(host, told) {
this.isInPage = !1;
this.retry = FIRST_RETRY;
this.heardAt = 0;
this.askedAt = 0;
this.isPinging = !1;
this.stateAt = performance.now();
this.serverNow = Date.now() / 1e3;
this.steadyAt = performance.now();
this.clocks = Date.now() - performance.now();
this.ready = () => {
this.retry = FIRST_RETRY, this.heardAt = performance.now(), this.rejoin(), this.host.requestUpdate();
};
this.cut = () => {
this.part(), this.cutSince ?? (this.cutSince = this.now), this.host.requestUpdate();
};
this.seen = () => {
if (document.hidden) return;
let slept = Math.max(0, this.clockStep());
this.serverNow += slept / 1e3, this.heardAt -= slept, this.rejoin();
};
this.rejoin = () => {
this.part(), this.check();
};
this.host = host, this.told = told, host.addController(this);
}
get now() {
return this.serverNow + (performance.now() - this.steadyAt) / 1e3;
}
get stateAge() {
return (performance.now() - this.stateAt) / 1e3;
}
get isConnected() {
let { cutSince, refusal, wanted } = this;
return cutSince === void 0 && !refusal && wanted?.hass.connection.connected === !0;
}
hostConnected() {
this.isInPage = !0, this.heardAt = performance.now(), document.addEventListener("visibilitychange", this.seen), this.pingTimer = setInterval(() => this.ping(), PING_INTERVAL * 1e3), this.follow(this.wanted?.hass.connection), this.check();
}
hostDisconnected() {
this.isInPage = !1, document.removeEventListener("visibilitychange", this.seen), clearInterval(this.pingTimer), this.part(), this.follow(void 0);
}
want(wanted) {
this.wanted?.deviceId !== wanted.deviceId && (this.snapshot = this.sessions = this.refusal = void 0), this.wanted = wanted, this.isInPage && this.follow(wanted.hass.connection), this.check();
}
follow(connection) {
let { followed } = this;
followed !== connection && (followed?.removeEventListener("ready", this.ready), followed?.removeEventListener("disconnected", this.cut), connection?.addEventListener("ready", this.ready), connection?.addEventListener("disconnected", this.cut), this.followed = connection);
}
clockStep() {
let step = Date.now() - performance.now() - this.clocks;
return Math.abs(step) < CLOCK_STEP * 1e3 ? 0 : (this.clocks += step, step);
}
check() {
let { wanted, joined } = this;
if (!wanted || !this.isInPage || (joined && (joined.deviceId !== wanted.deviceId || joined.names !== wanted.names) && this.part(), this.joined)) return;
let { config, connection } = wanted.hass;
connection.connected ? config.components.includes(DOMAIN) ? this.retryTimer || this.join(wanted) : this.refuse({ code: UNKNOWN_COMMAND }) : this.cutSince ?? (this.cutSince = this.now);
}
join(wanted) {
let isOver = !1, unsubscribe;
this.joined = wanted, this.askedAt = performance.now(), this.leave = () => {
isOver = !0, unsubscribe?.().catch(() => {
});
};
let { deviceId, names } = wanted;
wanted.hass.connection.subscribeMessage(
(snapshot) => {
isOver || this.take(snapshot);
},
{ type: "lrs_pager/subscribe", names, device_id: deviceId || void 0 },
{ resubscribe: !1 }
).then(
(end) => {
unsubscribe = end, isOver ? end().catch(() => {
}) : this.retry = FIRST_RETRY;
},
(error) => {
isOver || (this.refuse(error), this.retryTimer = setTimeout(this.rejoin, this.retry * 1e3), this.retry = Math.min(2 * this.retry, LAST_RETRY));
}
);
}
refuse(error) {
this.part(), this.refusal = error, this.hear(), this.host.requestUpdate();
}
part() {
clearTimeout(this.retryTimer), this.retryTimer = void 0, this.leave?.(), this.leave = this.joined = void 0;
}
take(snapshot) {
this.snapshot?.entry_id !== snapshot.entry_id && (this.sessions = void 0);
let before = this.sessions;
this.snapshot?.link.state !== snapshot.link.state && (this.stateAt = performance.now()), this.snapshot = snapshot, this.refusal = void 0, this.serverNow = snapshot.now, this.steadyAt = performance.now(), this.clocks = Date.now() - performance.now(), this.hear(), snapshot.sessions && (this.sessions = recognise(before ?? [], snapshot.sessions), this.told(this.sessions, before)), snapshot.link.state === "removed" && (this.retryTimer = setTimeout(this.rejoin, this.retry * 1e3)), this.host.requestUpdate();
}
hear() {
let now = performance.now(), silence = now - Math.max(this.heardAt, this.askedAt);
this.heardAt = now, this.cutSince !== void 0 && (this.cutSince = void 0, this.host.requestUpdate()), silence > STALL * 1e3 && this.joined && !document.hidden && this.rejoin();
}
ping() {
if (!this.joined || document.hidden) return;
let { connection } = this.joined.hass;
this.clockStep() && this.rejoin();
let silence = (performance.now() - this.heardAt) / 1e3;
if (silence > SILENCE && this.cutSince === void 0 && (this.cutSince = this.now - silence, this.host.requestUpdate()), silence > DEAD) {
this.isPinging = !1, this.heardAt = performance.now(), connection.reconnect(!0);
return;
}
this.isPinging || (this.isPinging = !0, connection.ping().then(() => this.hear()).catch(() => {
}).finally(() => this.isPinging = !1));
}
};

// src/banner.ts
var POLLED_GRACE = 15;
function problemOf({ cutSince, refusal }, words) {
return cutSince !== void 0 ? words.get("cut_at_once") : refusal && refusal.code !== UNKNOWN_COMMAND ? words.error(refusal) : void 0;
}
function bannerOf(live, words) {
let { snapshot, sessions, cutSince, refusal, now } = live, stale = (key, instant = now) => ({
text: words.get(key, { time: words.timeOfDay(instant) }),
level: "error",
isStale: !0
}), problem = problemOf(live, words);
if (cutSince !== void 0 && sessions) return stale("cut", cutSince);
if (problem) return { text: problem, level: "error", isStale: !0 };
if (refusal) return stale("starting");
let { state, since } = snapshot.link;
switch (state) {
case "live":
case "accepted":
return;
case "polled":
return Math.max(live.stateAge, now - (since ?? now)) < POLLED_GRACE ? void 0 : { text: words.get("link_polled"), level: "info", isStale: !1 };
case "no_list":
return { text: words.get("link_no_list"), level: "error", isStale: !1 };
case "unreachable":
return since !== null && sessions ? stale("link_unreachable_since", since) : stale("link_unreachable");
case "loading":
return stale(sessions ? "starting" : "connecting");
default:
return stale(`link_${state}`);
}
}

// src/element.ts
var WATCHED = ["connected", "localize", "locale", "devices", "entities", "kioskMode"], PagerElement = class extends LitElement {
get words() {
return new Words(this.hass, this.loaded);
}
shouldUpdate(changed) {
let hass = this.hass, before = changed.get("hass");
return hass !== void 0 && (changed.size !== 1 || !before || before.config.components !== hass.config.components || WATCHED.some((part) => before[part] !== hass[part]));
}
willUpdate(_) {
let { hass } = this;
this.language !== hass.language && (this.language = hass.language, loadWords(hass).then(
(localize) => {
this.loaded = localize, this.requestUpdate();
},
() => {
}
));
}
render() {
return this.words.get("host_stand") ? this.draw() : nothing;
}
};
PagerElement.properties = {
hass: { attribute: !1 }
};

// src/quote.ts
function rangesTemplate(quotes, key, words) {
return Object.entries(SIZES).flatMap(([size, text]) => {
let { low, high } = quotes?.[size] ?? { high: null }, minutes = low === high ? high : `${low}–${high}`;
return high === null ? [] : html`<bdi>${words.get(key, { size: text, minutes })}</bdi> `;
});
}
function quotesTemplate(quotes, words) {
let ranges = rangesTemplate(quotes, "quote", words), reason = Object.values(quotes ?? {}).find((quote) => quote.reason !== "no_line")?.reason;
return !ranges.length && !reason ? nothing : html`<p class="quotes">
${ranges.length ? [words.get("quotes"), " ", ranges] : words.get(`no_quote_${reason}`)}
</p>`;
}

// src/lobby.ts
var MOST_NUMBERS = 12, Lobby = class extends PagerElement {
constructor() {
super(...arguments);
this.live = new Live(this, () => {
});
}
willUpdate(changed) {
super.willUpdate(changed), this.live.want({ hass: this.hass, deviceId: this.deviceId, names: !1 });
}
draw() {
let { words } = this, { snapshot, sessions } = this.live;
if (!sessions) {
let text = problemOf(this.live, words) ?? words.get(snapshot ? "lobby_stale" : "connecting");
return html`<p class="note">${text}</p>`;
}
let guests = present(sessions), called = guests.filter((session) => session.notified_at !== null && session.number !== null).sort((a, b) => b.notified_at - a.notified_at || b.created_at - a.created_at).slice(0, MOST_NUMBERS), waiting = guests.filter((session) => session.notified_at === null).length, banner = bannerOf(this.live, words);
return html`
<div class="lobby">
<h2>${this.heading || words.get("lobby_called")}</h2>
${banner?.isStale ? html`<p class="note" role="alert">${words.get("lobby_stale")}</p>` : nothing}
${called.length ? html`<ol aria-live="polite">
${repeat(
called,
(session) => session.id,
(session) => html`<li>${session.number}</li>`
)}
</ol>` : html`<p class="nobody">${words.get("lobby_nobody")}</p>`}
<div class="waiting">
${words.count("lobby_waiting", waiting)}
<p class="quotes">
${banner?.isStale ? nothing : rangesTemplate(snapshot.quotes, "lobby_quote", words)}
</p>
</div>
</div>
`;
}
};
Lobby.styles = lobbyStyles, Lobby.properties = {
...PagerElement.properties,
deviceId: { attribute: !1 },
heading: { attribute: !1 }
};

// src/manager.ts
var FIGURES = [
"sessions",
"guests",
"average_wait",
"wait_80",
"late",
"left",
"no_show",
"quotes_kept",
"quote_error"
], METRICS = ["wait_80", "sessions", "guests", "late", "left", "no_show"], FEW = 5, DAY = 864e5, REFRESH = 12e4, ManagerCard = class extends PagerElement {
constructor() {
super(...arguments);
this.askedAt = -REFRESH;
}
setConfig({ device_id }) {
this.deviceId !== device_id && (this.deviceId = device_id, this.answer = void 0, this.askedAt = -REFRESH, this.requestUpdate());
}
shouldUpdate(changed) {
return performance.now() - this.askedAt >= REFRESH && (this.askedAt = performance.now(), this.ask("lrs_pager/manager", { device_id: this.deviceId }, (answer) => {
this.answer = answer;
})), super.shouldUpdate(changed);
}
ask(type, data, take) {
let { deviceId } = this, isMeant = () => deviceId === this.deviceId;
this.error = void 0, this.hass.callWS({ type, ...data }).then((answer) => isMeant() && take(answer)).catch(
(error) => isMeant() && (this.error = this.words.error(error))
);
}
download(event) {
if (event.preventDefault(), !this.answer) return;
let form = new FormData(event.target), [from, to, names = "0"] = [...form.values()], [start, end] = [from, to].sort(), path = `/api/${DOMAIN}/${this.answer.entry_id}/sessions.csv?start=${start}&end=${end}&names=${names}`;
this.ask("auth/sign_path", { path }, ({ path: path2 }) => {
Object.assign(document.createElement("a"), { href: path2, download: "" }).click();
});
}
draw() {
let { words, answer, error } = this;
return html`<ha-card>
${answer ? [this.todayTemplate(answer), this.patternTemplate(answer)] : nothing}
<p class="alarm" role="alert">${error ? [icon("alert"), error] : nothing}</p>
<form @submit=${this.download}>
${this.dayTemplate("start", 30)} ${this.dayTemplate("end", 0)}
<label class="option">
<input type="checkbox" name="names" value="1" />${words.get("csv_names")}
</label>
<button class="loud" aria-disabled=${!answer}>${words.get("csv")}</button>
</form>
</ha-card>`;
}
dayTemplate(name, ago) {
let { timeZone } = this.words, day = new Date(Date.now() - ago * DAY).toLocaleDateString("sv", { timeZone });
return html`<label>
${this.words.get(`csv_${name}`)} <input type="date" name=${name} required value=${day} />
</label>`;
}
number(value) {
let { language } = this.hass.locale;
return value?.toLocaleString(language, { maximumFractionDigits: 1 }) ?? "–";
}
todayTemplate({ today, usual, weeks, quotes_kept, quote_error }) {
let { words } = this, before = { ...usual, quotes_kept, quote_error };
return html`
<table>
<tr>
<td></td>
<th scope="col">${words.get("today")}</th>
<th scope="col">${words.get("usual")}</th>
</tr>
${FIGURES.map(
(key) => html`<tr>
<th scope="row">${words.get(`figure_${key}`)}</th>
<td>${this.number(today[key])}</td>
<td>${this.number(before[key])}</td>
</tr>`
)}
</table>
<p class="note">${words.get("usual_note", { weeks })}</p>
`;
}
patternTemplate({ pattern, day_start }) {
let { words, metric = METRICS[0] } = this, { weeks, cells, left_out } = pattern, { language } = this.hass.locale, days = [...Array(7).keys()], hours = [...Array(24).keys()].map((hour) => (hour + day_start) % 24).filter((hour) => cells.some((cell) => cell.hour === hour)), told = cells.filter(({ sessions }) => sessions >= FEW), most = Math.max(1, ...told.map((cell) => cell[metric]));
return html`
<label>
${words.get("pattern_shows")}
<select
@change=${(event) => this.metric = event.target.value}
>
${METRICS.map((key) => html`<option value=${key}>${words.get(`figure_${key}`)}</option>`)}
</select>
</label>
<table class="heat">
<caption>
${words.get("pattern", { weeks })}
</caption>
<tr>
<td></td>
${days.map((day) => {
let date = new Date((day + 4) * DAY);
return html`<th scope="col">
${date.toLocaleDateString(language, { weekday: "short", timeZone: "UTC" })}
</th>`;
})}
</tr>
${hours.map(
(hour) => html`<tr>
<th scope="row">${words.timeOfDay(hour * 3600, "UTC").replace(/\D00(?=\D)/, "")}</th>
${days.map((day) => {
let cell = cells.find(({ weekday, hour: at }) => weekday === day && at === hour);
if (!cell) return html`<td></td>`;
let isFew = cell.sessions < FEW;
return html`<td
class=${isFew ? "few" : ""}
style="--heat: ${50 * cell[metric] / most}%"
>
${this.number(cell[metric])}
${isFew ? html`<span class="unseen">${words.get("few")}</span>` : nothing}
</td>`;
})}
</tr>`
)}
</table>
<p class="note"><span class="few"></span> ${words.get("few")}</p>
<p class="note">${left_out ? words.count("left_out", left_out) : nothing}</p>
`;
}
};
ManagerCard.styles = managerStyles, ManagerCard.properties = {
...PagerElement.properties,
answer: { state: !0 },
error: { state: !0 },
metric: { state: !0 }
};

// src/screen.ts
var KEY = "lrs-pager-screen", screen = { large: !1, hideNames: !1, sound: !1 };
try {
screen = { ...screen, ...JSON.parse(localStorage.getItem(KEY)) };
} catch {
}
function keepScreen(change) {
screen = { ...screen, ...change };
try {
localStorage.setItem(KEY, JSON.stringify(screen));
} catch {
}
}
function setKiosk(element, enable) {
element.dispatchEvent(
new CustomEvent("hass-kiosk-mode", { detail: { enable }, bubbles: !0, composed: !0 })
);
}

// src/panel.ts
var Panel = class extends PagerElement {
get isLobby() {
return this.route?.path.startsWith("/lobby") === !0;
}
connectedCallback() {
super.connectedCallback(), this.requestUpdate();
}
willUpdate(changed) {
super.willUpdate(changed);
let wasLobby = changed.get("route")?.path.startsWith("/lobby");
(this.isLobby || wasLobby) && setKiosk(this, this.isLobby);
}
disconnectedCallback() {
super.disconnectedCallback(), this.isLobby && setKiosk(window, !1);
}
draw() {
let { hass } = this, devices = transmitters(hass), shown = devices.length ? devices : [void 0];
return this.isLobby ? html`<main class="lobbies">
${shown.map(
(device) => html`<lrs-pager-lobby .hass=${hass} .deviceId=${device?.id}></lrs-pager-lobby>`
)}
</main>` : html`
${hass.kioskMode ? nothing : html`<header>
<ha-menu-button .hass=${hass} .narrow=${this.narrow}></ha-menu-button>
<h1>${this.words.get("host_stand")}</h1>
</header>`}
<main>
${shown.map(
(device) => html`<lrs-pager-stand
.hass=${hass}
.isPanel=${!0}
.deviceId=${device?.id}
.heading=${devices.length > 1 ? title(device) : ""}
></lrs-pager-stand>`
)}
</main>
`;
}
};
Panel.styles = panelStyles, Panel.properties = {
...PagerElement.properties,
narrow: { type: Boolean },
route: { attribute: !1 }
};

// src/row.ts
function rowTemplate(row, press) {
let { session, words, now, state } = row, time = timeOf(session, now, row.lateAfter), isPending = session.seating_until !== null, isEnding = isPending && now >= session.seating_until, isBusy = state.busy !== void 0 || isEnding, buttons = row.canControl && session.number !== null ? buttonsOf(row, isPending) : [], who = (row.hideName ? null : session.label) ?? (session.number === null ? words.get("no_number") : "");
return html`
<li
class=${isPending ? "seating" : time.state}
data-key=${session.key}
tabindex="-1"
aria-busy=${isBusy}
>
<span class="number">${session.number ?? "?"}</span>
<span class="who" id="who-${session.key}">
${who ? html`<bdi class="name" title=${who}>${who}</bdi>` : nothing}
${session.party_size === null ? nothing : partyTemplate(session.party_size, words)}
</span>
<span class="time"> ${isEnding ? words.get("seating_now") : timeTemplate(row, time)} </span>
${failureTemplate(row)}
${buttons.length ? html`<span class="buttons">
${repeat(
buttons,
({ tap }) => tap,
(button) => buttonTemplate(button, row, time, isBusy, press)
)}
</span>` : nothing}
</li>
`;
}
function buttonsOf({ session, state }, isPending) {
let isPaged = session.notified_at !== null && !state.isHeld;
if (isPending) return [{ tap: "undo", key: "undo", kind: "primary" }];
if (state.isAsking)
return [
{ tap: "dismiss", key: "keep", kind: "plain" },
{ tap: "remove", key: "confirm", kind: "danger" }
];
let page = {
tap: "page",
key: isPaged ? "page_again" : "page",
isOff: state.isLocked
}, seat = { tap: "seat", key: "seat" }, [next, other] = isPaged ? [seat, page] : [page, seat];
return [
{ ...next, kind: "primary", icon: isPaged ? "check" : "bell" },
{ ...other, kind: "plain" },
{ tap: "ask", key: "remove", kind: "plain" }
];
}
function buttonTemplate(button, { session, words, state, isConnected }, time, isBusy, press) {
let { tap, key } = button, isOff = isBusy || button.isOff || !isConnected, kind = button.kind === "primary" && time.state === "late" ? "loud" : button.kind;
return html`
<button
type="button"
class="${kind} ${state.busy === tap ? "busy" : ""}"
aria-disabled=${isOff}
aria-describedby="who-${session.key}"
data-tap=${tap}
@click=${(event) => !isOff && press(tap, event)}
>
${button.icon ? icon(button.icon) : nothing}<span aria-hidden="true">${words.get(key)}</span>
<span class="unseen">${words.get(`button_${key}`, { number: session.number })}</span>
</button>
`;
}
function partyTemplate(size, words) {
return html`<span class="party"
>${icon("person")}<span aria-hidden="true">${size}</span
><span class="unseen">${words.count("party", size)}</span></span
>`;
}
function timeTemplate({ session, words, state, now }, time) {
return session.seating_until !== null ? words.get("seating", { seconds: Math.floor(session.seating_until - now) }) : state.isAsking ? words.get("remove_question") : html`
<span>
${time.state === "late" ? icon("alert") : nothing}
<b>${time.span === null ? "" : clockText(time.span)}</b>
${words.get(`time_${time.state}`)}
</span>
${session.about == null ? nothing : html`<span class="about">${words.get("about", { minutes: session.about })}</span>`}
`;
}
function failureTemplate({ session, words, state }) {
let { notice } = session, failure = state.failure ?? (notice && {
tap: "seat",
error: { translation_key: notice.key, translation_placeholders: notice.placeholders }
});
return failure ? html`<p class="message alarm">
${icon("alert")}${isInDoubt(failure.error) ? words.get(`maybe_${failure.tap}`) : words.error(failure.error)}
</p>` : nothing;
}

// src/seconds.ts
var Seconds = class {
constructor(host, now) {
this.tick = () => {
clearTimeout(this.timer), !document.hidden && (this.host.requestUpdate(), this.timer = setTimeout(this.tick, 1005 - this.now() * 1e3 % 1e3));
};
this.host = host, this.now = now, host.addController(this);
}
hostConnected() {
document.addEventListener("visibilitychange", this.tick), this.tick();
}
hostDisconnected() {
document.removeEventListener("visibilitychange", this.tick), clearTimeout(this.timer);
}
};

// src/sound.ts
var context;
function isUnlocked() {
return context?.state === "running";
}
async function unlock() {
context ?? (context = new AudioContext()), await context.resume();
}
function chime() {
!context || !isUnlocked() || [660, 880].forEach((frequency, index) => {
let start = context.currentTime + index * 0.35, tone = context.createOscillator(), volume = context.createGain();
tone.frequency.value = frequency, volume.gain.setValueAtTime(1e-4, start), volume.gain.exponentialRampToValueAtTime(0.4, start + 0.03), volume.gain.exponentialRampToValueAtTime(1e-4, start + 0.6), tone.connect(volume).connect(context.destination), tone.start(start), tone.stop(start + 0.65);
});
}

// src/stand.ts
var BACK_TO = { dismiss: "ask", remove: "ask", undo: "seat" }, LOST_SHOWN = 10, Stand = class extends PagerElement {
constructor() {
super();
this.live = new Live(this, (sessions, before) => this.listTold(sessions, before));
this.taps = new Taps(this, this.live);
this.said = [];
new Seconds(this, () => this.live.now);
}
willUpdate(changed) {
super.willUpdate(changed), this.live.want({ hass: this.hass, deviceId: this.deviceId, names: !this.hidesNames }), this.toggleAttribute("large", this.isLarge), this.watchLate(), this.rememberFocus();
}
get isLarge() {
return screen.large || this.large === !0;
}
updated() {
this.restoreFocus();
}
get hidesNames() {
return screen.hideNames || this.hideNames === !0;
}
listTold(sessions, before) {
this.taps.see(sessions, before ?? []);
for (let { kind, session } of before ? happenings(before, sessions) : [])
this.say(`said_${kind}`, session);
}
watchLate() {
let { snapshot, sessions, now } = this.live, known = this.late, late = sessions?.filter(
(session) => timeOf(session, Math.floor(now), snapshot.late_after).state === "late"
);
this.late = late && new Set(late.map(({ key }) => key));
let added = known ? (late ?? []).filter(({ key }) => !known.has(key)) : [];
for (let session of added) this.say("said_late", session);
added.length && screen.sound && !this.preview && chime();
}
say(key, session) {
this.said.push(this.words.get(key, { number: session.number ?? "?" })), !(this.said.length > 1) && setTimeout(() => {
let status = this.renderRoot.querySelector("[role=status]");
status && (status.textContent = this.said.join(". ")), this.said = [];
});
}
rememberFocus() {
let active = this.shadowRoot?.activeElement, row = active?.closest("li");
this.focused = row ? {
key: row.dataset.key,
tap: active.dataset.tap ?? "",
index: this.rows.indexOf(row),
isShown: active.matches(":focus-visible")
} : void 0;
}
restoreFocus() {
let { focused } = this;
if (!focused || this.shadowRoot.activeElement) return;
let { key, tap, index, isShown: isShown2 } = focused, row = this.rows.find((each) => each.dataset.key === key), button = (name = "") => row?.querySelector(`[data-tap="${name}"]`);
(button(tap) ?? button(BACK_TO[tap]) ?? row?.querySelector("button") ?? row ?? this.rows[Math.min(index, this.rows.length - 1)] ?? this.shadowRoot.querySelector("h2"))?.focus({ preventScroll: !isShown2 });
}
get rows() {
return [...this.shadowRoot.querySelectorAll("li")];
}
press(tap, session, event) {
this.preview || this.isSecondOfTwo(event) || (tap === "ask" || tap === "dismiss" ? this.taps[tap](session) : this.send(tap, session));
}
isSecondOfTwo(event) {
let before = this.lastClick;
return this.lastClick = event, before !== void 0 && event.detail > 0 && event.timeStamp - before.timeStamp < 500 && Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < 24;
}
async send(tap, session) {
this.haptic("light");
let isDone = await this.taps.send(tap, session);
if (isDone && tap === "seat" && this.say("said_seating", session), isDone && tap === "page" && session.notified_at !== null && this.say("said_paged", session), isDone !== !1) return;
this.haptic("failure");
let { failure } = this.taps.state(session);
this.say(failure && isInDoubt(failure.error) ? `said_maybe_${tap}` : "said_failed", session), !(!failure || this.live.sessions?.some(({ key }) => key === session.key)) && (this.lost = this.words.error(failure.error), setTimeout(() => this.lost = void 0, LOST_SHOWN * 1e3));
}
haptic(kind) {
this.dispatchEvent(new CustomEvent("haptic", { detail: kind, bubbles: !0, composed: !0 }));
}
openScreen() {
this.preview || this.renderRoot.querySelector("dialog")?.showModal();
}
handOut() {
this.preview || this.renderRoot.querySelector("lrs-pager-hand-out")?.open();
}
draw() {
let { snapshot } = this.live;
return html`
<div
class="stand"
@keydown=${(event) => {
event.repeat && event.key === "Enter" && event.preventDefault();
let row = event.key === "Escape" && event.target.closest("li");
row && row.querySelector("[data-tap=dismiss]")?.click();
}}
>
${snapshot ? this.standTemplate(snapshot) : this.waitTemplate()}
<p class="unseen" role="status"></p>
</div>
${this.optionsTemplate()}
`;
}
waitTemplate() {
let problem = problemOf(this.live, this.words);
return problem ? html`<p class="banner">${icon("alert")}${problem}</p>` : html`<p class="empty">${this.words.get("connecting")}</p>`;
}
standTemplate(snapshot) {
let { words } = this, { sessions, now } = this.live, banner = bannerOf(this.live, words), line = inLine(sessions ?? []), waiting = line.filter(
(session) => session.notified_at === null || this.taps.state(session).isHeld
), sum = lineOf(waiting, Math.floor(now), snapshot.late_after), canControl = snapshot.can_control && !this.readOnly, title2 = this.heading ?? (this.isPanel ? "" : snapshot.title);
return html`
<header>
<h2 tabindex="-1" class=${title2 ? "" : "unseen"}>${title2 || words.get("host_stand")}</h2>
<div class="sum">
${sum.waiting ? this.sumTemplate(sum) : nothing}
${banner?.isStale ? nothing : quotesTemplate(snapshot.quotes, words)}
</div>
${banner || snapshot.link.state !== "live" ? nothing : html`<span class="live">${words.get("live")}</span>`}
<button type="button" @click=${() => this.openScreen()}>
${icon("options")}<span class="unseen">${words.get("screen")}</span>
</button>
</header>
${canControl ? html`<button type="button" class="loud hand-out" @click=${() => this.handOut()}>
${icon("plus")}${words.get("hand_out_a_pager")}
</button>` : nothing}
${banner ? html`<p class="banner ${banner.level}" role="alert">${icon("alert")}${banner.text}</p>` : nothing}
${this.lost ? html`<p class="banner" role="alert">${icon("alert")}${this.lost}</p>` : nothing}
${screen.sound && !isUnlocked() ? html`<button type="button" class="plain wide" @click=${() => this.unlockSound()}>
${words.get("unlock_sound")}
</button>` : nothing}
${sessions ? html`<div class="columns ${banner?.isStale ? "stale" : ""}">
${this.groupsTemplate(line, waiting, canControl)}
</div>` : nothing}
<lrs-pager-hand-out .hass=${this.hass} .live=${this.live}></lrs-pager-hand-out>
`;
}
groupsTemplate(line, waiting, canControl) {
let { words } = this, paged = line.filter((session) => !waiting.includes(session)), shown = waiting.filter((session) => !this.size || sizeOf(session) === this.size);
return html`
<section>
<div class="heading">
<h3>${words.get("waiting")} <span class="count">${present(waiting).length}</span></h3>
${this.filterTemplate()}
</div>
${shown.length ? this.listTemplate(shown, canControl) : html`<p class="empty">
${words.get(waiting.length ? "nobody_of_size" : "nobody_waits")}
</p>`}
</section>
<section class="called">
<div class="heading">
<h3>${words.get("paged")} <span class="count">${present(paged).length}</span></h3>
</div>
${this.listTemplate(paged, canControl)}
</section>
`;
}
sumTemplate({ guests, longest, late }) {
let { words } = this, minutes = Math.floor((longest ?? 0) / 60);
return html`
<span>${words.count("sum_guests", guests)}</span>
${minutes ? html`<span>${words.get("sum_longest", { minutes })}</span>` : nothing}
${late ? html`<span class="alarm">${icon("alert")} ${words.count("sum_late", late)}</span>` : nothing}
`;
}
listTemplate(sessions, canControl) {
let { words } = this, { snapshot, isConnected, now } = this.live;
return html`<ul>
${repeat(
sessions,
(session) => session.key,
(session) => rowTemplate(
{
session,
now: Math.floor(now),
lateAfter: snapshot.late_after,
state: this.taps.state(session),
canControl,
isConnected,
hideName: this.hidesNames,
words
},
(tap, event) => this.press(tap, session, event)
)
)}
</ul>`;
}
filterTemplate() {
let { words } = this, choose = (size, word) => html`
<button type="button" aria-pressed=${this.size === size} @click=${() => this.size = size}>
${word}
</button>
`;
return html`<div class="filter" role="group" aria-label=${words.get("filter")}>
${choose(void 0, words.get("all"))}
${Object.entries(SIZES).map(([size, word]) => choose(size, word))}
</div>`;
}
optionsTemplate() {
let { words } = this, isKiosk = this.hass.kioskMode === !0, option = (key, isOn, set, isFixed = !1) => html`
<label class="option">
<input
type="checkbox"
.checked=${isOn}
?disabled=${isFixed}
@change=${(event) => set(event.target.checked)}
/>
<span>${words.get(`screen_${key}`)}</span>
</label>
`;
return html`
<dialog aria-labelledby="screen" closedby="any">
<form method="dialog">
<h2 id="screen">${words.get("screen")}</h2>
<p class="note">${words.get("screen_note")}</p>
${option("large", this.isLarge, (large) => this.keep({ large }), this.large)}
${option(
"hide_names",
this.hidesNames,
(hideNames) => this.keep({ hideNames }),
this.hideNames
)}
${option("sound", screen.sound, (sound) => {
this.keep({ sound }), sound && this.unlockSound();
})}
${this.isPanel ? option("kiosk", isKiosk, (isOn) => setKiosk(this, isOn)) : nothing}
<button class="loud">${words.get("done")}</button>
</form>
</dialog>
`;
}
keep(change) {
keepScreen(change), this.requestUpdate();
}
async unlockSound() {
await unlock(), chime(), this.requestUpdate();
}
};
Stand.styles = standStyles, Stand.properties = {
...PagerElement.properties,
deviceId: { attribute: !1 },
heading: { attribute: !1 },
large: { attribute: !1 },
hideNames: { attribute: !1 },
readOnly: { attribute: !1 },
preview: { attribute: !1 },
isPanel: { attribute: !1 },
size: { state: !0 },
lost: { state: !0 }
};

// src/strategy.ts
var TODAY = ["daily_count", "average_wait", "longest_wait", "on_time_rate"], Strategy = class extends HTMLElement {
static getCreateSuggestions() {
return { title: "LRS T7470", icon: "mdi:chart-box" };
}
static async generate(_config, hass) {
let words = new Words(hass, await loadWords(hass)), devices = transmitters(hass), views = devices.map((device) => view(device, hass, words)), message = { type: "config_entries/get", domain: DOMAIN }, ids = (await hass.callWS(message)).map(({ entry_id }) => entry_id);
return {
title: words.get("host_stand"),
views: views.length ? [...views, managerView(devices, ids, words)] : [emptyView(words)]
};
}
};
Strategy.registryDependencies = ["devices", "entities"];
function emptyView(words) {
let card = { type: "markdown", content: words.get("no_transmitter_yet") };
return {
title: words.get("host_stand"),
type: "sections",
sections: [{ type: "grid", cards: [card] }]
};
}
function view(device, hass, words) {
let tiles = TODAY.flatMap((key) => {
let entity = Object.values(hass.entities).find(
(each) => each.device_id === device.id && each.platform === DOMAIN && each.translation_key === key
);
return entity ? { type: "tile", entity: entity.entity_id, name: words.get(`today_${key}`) } : [];
}), card = { type: "custom:lrs-pager-card", device_id: device.id, ...full() };
return {
title: title(device),
path: device.id,
type: "sections",
max_columns: 2,
sections: [
{ type: "grid", cards: [card], column_span: 2 },
...section(words.get("today"), "mdi:calendar-today", tiles)
]
};
}
function managerView(devices, ids, words) {
return {
title: words.get("manager"),
path: "manager",
type: "sections",
max_columns: 2,
sections: devices.flatMap((device) => [
...section(title(device), "mdi:calendar-today", [
{ type: "custom:lrs-pager-manager-card", device_id: device.id, ...full() }
]),
...section(words.get("months"), "mdi:chart-line", months(device, ids, words))
])
};
}
function section(text, icon2, cards) {
let heading = { type: "heading", heading: text, icon: icon2 };
return cards.length ? [{ type: "grid", cards: [heading, ...cards] }] : [];
}
function full() {
return { grid_options: { columns: "full" } };
}
function months(device, ids, words) {
let entries = [device.config_entry_id, device.config_entries].flat(), entryId = ids.find((id) => entries.includes(id));
if (!entryId) return [];
let statistic = (key, name) => ({
entity: `${DOMAIN}:${entryId.toLowerCase()}_${key}`,
name: words.get(name)
}), graph = { type: "statistics-graph", period: "day", days_to_show: 28, ...full() };
return [
{
...graph,
title: words.get("graph_sessions"),
entities: [statistic("sessions", "graph_all"), statistic("late", "graph_late")],
stat_types: ["change"],
chart_type: "bar",
hide_legend: !1
},
{
...graph,
title: words.get("graph_wait"),
entities: [statistic("wait", "graph_minutes")],
stat_types: ["mean", "max"],
chart_type: "line"
}
];
}
var STRATEGY_ENTRY = {
type: "lrs-pager",
strategyType: "dashboard",
name: "LRS Pager",
description: "The host stand, and figures for the manager.",
documentationURL: "https://github.com/ha-lrs-pager/lrs-pager#host-stand"
};

// src/main.ts
var ELEMENTS = {
"lrs-pager-hand-out": HandOut,
"lrs-pager-stand": Stand,
"lrs-pager-lobby": Lobby,
"lrs-pager-card": Card,
"lrs-pager-manager-card": ManagerCard,
"lrs-pager-panel": Panel,
"ll-strategy-dashboard-lrs-pager": Strategy
};
function define() {
for (let [tag, element] of Object.entries(ELEMENTS))
window.customElements.get(tag) || window.customElements.define(tag, element);
}
function announce(list, entry) {
return list.some((each) => each.type === entry.type) || list.push(entry), list;
}
window.customCards = announce(window.customCards ?? [], CARD_ENTRY);
window.customStrategies = announce(window.customStrategies ?? [], STRATEGY_ENTRY);
var app = document.querySelector("home-assistant");
(app ? window.customElements.whenDefined("home-assistant") : Promise.resolve()).then(define);
