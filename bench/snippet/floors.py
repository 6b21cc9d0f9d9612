"""The least that a script can do which assigns, applies and reports. None of our other promises is kept here."""

from __future__ import annotations

import json

# What each gets its visitor from. The second is what a site needs whose server, subdomains or edge know the visitor.
LOCAL_STORAGE = "const v=localStorage.id||=Math.random().toString(36).slice(2);"
COOKIE = (
    "let v=/id=([^;]*)/.exec(document.cookie)?.[1];"
    'v||(document.cookie="id="+(v=Math.random().toString(36).slice(2))+";path=/;max-age=33333333");'
)

_REST = """
const h=t=>{let n=2166136261;for(let i=0;i<t.length;i++)n=Math.imul(n^t.charCodeAt(i),16777619);return n>>>0};
for(const[k,to]of SHARES){const w=h(h(k+v)+"")%1e4<to?"plain":"bold";
document.documentElement.setAttribute("data-ab-"+k,w);
addEventListener("load",()=>navigator.sendBeacon("/events",JSON.stringify([v,k,w,"impression",Date.now()])));
addEventListener("click",e=>e.target.closest("[data-ab="+k+"]")&&
navigator.sendBeacon("/events",JSON.stringify([v,k,w,"click",Date.now()])))}"""


def floor(keys: list[str], visitor: str = LOCAL_STORAGE, bold: str = "") -> bytes:
    """The script for experiments `keys`, half and half; of `bold`, every visitor sees the second variant."""
    shares = json.dumps([[key, 0 if key == bold else 5000] for key in keys], separators=(",", ":"))
    return f"(()=>{{{visitor}{_REST.replace('SHARES', shares)}}})()".encode()
